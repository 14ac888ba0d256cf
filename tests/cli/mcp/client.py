"""Speaks to `cuecard mcp` by the client of another author, and prints what came of it."""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters


async def main(program: str, mode: str) -> None:
    server = StdioServerParameters(command=program, args=["mcp"], env=dict(os.environ))
    async with Client(server, mode=mode) as client:
        listed = await client.list_prompts()
        got = await client.get_prompt(listed.prompts[0].name, {"name": "Zoë 🗝"})
        wish = {"prompt": listed.prompts[0].name, "version": "newest"}
        shown = await client.call_tool("promote_version", wish)
        confirm = shown.structured_content["confirm"]
        done = await client.call_tool("promote_version", {**wish, "confirm": confirm})
        refused = await client.call_tool("show_version", {"prompt": "support/nobody"})
        tools = await client.list_tools()
        told = {
            "revision": client.protocol_version,
            "server": client.server_info.name,
            "prompts": [prompt.name for prompt in listed.prompts],
            "arguments": [argument.name for argument in listed.prompts[0].arguments],
            "said": got.messages[0].content.text,
            "shown": shown.structured_content["done"],
            "done": done.structured_content["done"],
            "refused": refused.is_error,
            "reading": [tool.name for tool in tools.tools if tool.annotations.read_only_hint],
            "destructive": [tool.name for tool in tools.tools if tool.annotations.destructive_hint],
        }
        print(json.dumps(told))


asyncio.run(main(*sys.argv[1:]))
