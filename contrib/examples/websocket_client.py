"""Say something to the agent and print its answer as it grows: websocket_client.py <address> <token> <words>"""

import asyncio
import json
import sys
import uuid

from websockets import connect


async def main(address: str, token: str, words: str) -> None:
    client = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "backend"}
    hello = {"minProtocol": 3, "maxProtocol": 3, "client": client, "auth": {"token": token}}
    message = {"sessionKey": "main", "message": words, "idempotencyKey": str(uuid.uuid4())}
    async with connect(address) as socket:
        await socket.send(json.dumps({"type": "req", "id": "1", "method": "connect", "params": hello}))
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "res" and not frame["ok"]:
                sys.exit(frame["error"]["message"])
            if frame.get("id") == "1":
                await socket.send(json.dumps({"type": "req", "id": "2", "method": "chat.send", "params": message}))
            if frame.get("event") == "chat":
                print(frame["payload"]["state"], frame["payload"].get("message", {}).get("content"))
                if frame["payload"]["state"] != "delta":
                    return


asyncio.run(main(sys.argv[1], sys.argv[2], " ".join(sys.argv[3:])))
