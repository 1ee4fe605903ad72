"""
The agents of the gateway: what runs them, what they can do, and what starts them without anybody asking.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred

from openclaw.agent.following import Following
from openclaw.agent.providers.factory import Models, make_client
from openclaw.agent.runtime import AgentRuntime
from openclaw.approvals.questions import Questions
from openclaw.config.sentinel import DEFAULT_DELAY_MS
from openclaw.egress.fetch import Egress
from openclaw.gateway.approvals import RunQuestions, make_questions
from openclaw.gateway.base import Base, new_id
from openclaw.gateway.cron import CronService
from openclaw.gateway.heartbeats import HeartbeatService
from openclaw.gateway.hooks import HookService, make_hooks
from openclaw.gateway.schedule import make_schedule
from openclaw.gateway.subagents import SubagentService
from openclaw.gateway.tooling import OwnMethods, ToolCalls, ToolPolicy
from openclaw.methods.dispatch import Dispatcher
from openclaw.methods.families import METHODS
from openclaw.processes import ReactorRunner
from openclaw.sessions.keys import default_agent
from openclaw.tools.base import ToolWorld
from openclaw.tools.registry import make_tools


@define(kw_only=True, eq=False)
class Work:
    """
    :ivar following: who looks on while an agent works.
    :ivar http: the client for models and speech; made when it is needed first.
    :ivar run: runs short programs.
    :ivar tool_calls: calls single tools for programs.
    """

    dispatcher: Dispatcher
    own_methods: OwnMethods
    questions: Questions
    following: Following
    agents: AgentRuntime
    subagents: SubagentService
    heartbeats: HeartbeatService
    cron: CronService
    hooks: HookService
    egress: Egress
    http: Callable[[], Any]
    run: ReactorRunner
    tool_calls: ToolCalls


def make_work(base: Base, ready: Callable[[], Deferred[None]]) -> Work:
    """
    :param ready: fires when conversations can go on.
    """
    setting, reactor, life = base.setting, base.reactor, base.life
    run = ReactorRunner(reactor=reactor, environ=setting.environ)
    http = cache(lambda: make_client(reactor))
    questions = make_questions(reactor, base.events.publish, base.events, new_id)
    asking = RunQuestions(questions, lambda: default_agent(base.config()))
    following = Following(base.events.publish)
    dispatcher, egress = Dispatcher(METHODS), setting.egress or Egress(reactor)
    own_methods, policy = OwnMethods(dispatcher), ToolPolicy(base.config)
    subagents = SubagentService(methods=own_methods)
    tools = make_tools(_make_world(base, own_methods, egress, subagents, http))
    agents = AgentRuntime(
        store=base.store,
        config=base.config,
        publish=following,
        clock=reactor,
        make_id=new_id,
        environ=setting.environ,
        workspace_of=base.workspace_of,
        make_model=setting.make_model or Models(clock=reactor, make_client=http, environ=setting.environ),
        in_thread=base.in_thread,
        tools=tools if setting.tools is None else setting.tools,
        offered=policy,
        ready=ready,
        ask=asking.ask,
        withdrawn=asking.withdrawn,
        ended=base.meters.ended,
        restart=lambda: life.restarts.ask("/restart", DEFAULT_DELAY_MS / 1000),
    )
    asking.decide, subagents.agents = agents.decide, agents
    heartbeats, cron = make_schedule(
        agents,
        life,
        in_thread=base.in_thread,
        workspace_of=base.workspace_of,
        store_path=base.store_path,
        ready=ready,
    )
    hooks = make_hooks(agents, heartbeats, setting.auth, setting.snapshot.path.parent)
    base.configuration.changed += [heartbeats.reconfigured, cron.reconfigured, hooks.current.reconfigured]
    return Work(
        dispatcher=dispatcher,
        own_methods=own_methods,
        questions=questions,
        following=following,
        agents=agents,
        subagents=subagents,
        heartbeats=heartbeats,
        cron=cron,
        hooks=hooks,
        egress=egress,
        http=http,
        run=run,
        tool_calls=ToolCalls.of(tools, policy, base.config, setting.environ, reactor, base.workspace_of),
    )


def _make_world(
    base: Base, methods: OwnMethods, egress: Egress, subagents: SubagentService, http: Callable[[], Any]
) -> ToolWorld:
    """
    What tools are given.
    """
    setting = base.setting
    return ToolWorld(
        methods=methods,
        config=base.config,
        store=base.store,
        clock=base.reactor,
        make_id=new_id,
        environ=setting.environ,
        state_dir=setting.state_dir,
        workspace_of=base.workspace_of,
        in_thread=base.in_thread,
        fetch=egress.fetch,
        subagents=subagents,
        http=http,
        config_path=setting.snapshot.path,
        restart=base.life.restarts.ask,
    )
