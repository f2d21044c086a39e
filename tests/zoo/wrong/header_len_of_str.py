"""content-length of the answer counts characters."""
# exercise: framed-echo-header
# class: length-counts-characters
import asyncio, json, sys

async def serve(r, w):
    try:
        while True:
            hl = int.from_bytes(await r.readexactly(2), "big")
            h = json.loads(await r.readexactly(hl))
            raw = await r.readexactly(h["content-length"])
            text = raw.decode("utf-8", errors="surrogateescape")
            reply = {"byteorder": sys.byteorder, "content-type": h["content-type"],
                     "content-encoding": h["content-encoding"], "content-length": len(text)}
            reply = json.dumps(reply, ensure_ascii=False).encode()
            w.write(len(reply).to_bytes(2, "big") + reply + raw)
            await w.drain()
    except Exception as e:
        print("client gone:", type(e).__name__, file=sys.stderr)
    w.close()

async def main():
    async with await asyncio.start_server(serve, "localhost", int(sys.argv[1])) as s:
        await s.serve_forever()

asyncio.run(main())
