"""
What programs ask over HTTP.
"""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.processes import TOKEN

HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


def asked_per_second(port: int, path: str, body: object, *, clients: int, each: int) -> float:
    """
    Answers a second to so many clients, each of which asks again when it has its answer.

    :param body: of every request, as JSON.
    """
    sent = json.dumps(body)

    def ask(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(each):
            connection.request("POST", path, sent, HEADERS)
            answer = connection.getresponse()
            read = answer.read()
            assert answer.status == 200, read
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    return clients * each / (time.perf_counter() - started)
