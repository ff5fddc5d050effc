"""Load for an authorizer: keep-alive connections that ask as fast as they are answered. Run by benchmarks/access_check.py.

Arguments: port, seconds, connections, and a file with one request head per line (\\r and \\n escaped). Prints JSON.
"""

import asyncio
import json
import sys
import time
from pathlib import Path


async def main(port: int, seconds: float, connections: int, heads: list[bytes]) -> None:
    """Ask, and print how many answers came, with which status, and how long each took."""
    until = time.perf_counter() + seconds
    results = await asyncio.gather(
        *(_ask(port, heads[number::connections] or heads, until) for number in range(connections))
    )
    codes: dict[str, int] = {}
    latencies = []
    for each in results:
        for code, took in each:
            codes[code] = codes.get(code, 0) + 1
            latencies.append(took)
    latencies.sort()
    count = len(latencies)
    p50, p99 = (latencies[min(count - 1, int(count * share))] * 1000 for share in (0.5, 0.99))
    print(json.dumps({"per_second": count / seconds, "p50": p50, "p99": p99, "codes": codes}))


async def _ask(port: int, heads: list[bytes], until: float) -> list[tuple[str, float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    number = 0
    while (asked := time.perf_counter()) < until:
        writer.write(heads[number % len(heads)])
        number += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        if size := int(length.partition(b":")[2]):
            await reader.readexactly(size)
        answers.append((head[9:12].decode(), time.perf_counter() - asked))
    writer.close()
    return answers


if __name__ == "__main__":
    lines = Path(sys.argv[4]).read_text().splitlines()
    requests = [line.encode().decode("unicode_escape").encode() for line in lines]
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), requests))
