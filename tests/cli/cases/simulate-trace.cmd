wavecast simulate --gpu h200-sxm --model olmoe-1b-7b --kernel alpha-moe --tokens 64 --routing zipf:1.2 --config bm=16,bn=32,wn=8,stages=3 --trace "$work/t.json" --timeline "$work/t.svg" >"$work/out" && head -n 3 "$work/t.json" && python3 - "$work/t.json" "$work/t.svg" <<'PYTHON'
import collections, json, sys, xml.dom.minidom
events = json.load(open(sys.argv[1]))["traceEvents"]
print(sorted(collections.Counter(e["ph"] for e in events).items()))
print(all(e["dur"] >= 0 and e["ts"] >= 0 for e in events if e["ph"] == "X"))
print(len(xml.dom.minidom.parse(sys.argv[2]).getElementsByTagName("rect")) > 500)
PYTHON
