"""Random numbers, regular expressions and literals of Python: packages/perennial/src/evaluate/tasks/golden/python.json."""
from pathlib import Path
import random, json, re
out={}
r=random.Random(1234)
out["random"]=[r.random() for _ in range(5)]
out["samples"]=[]
for n,k in ((5,5),(10,3),(22,2),(30,7),(500,5),(500,40),(1000,12)):
    out["samples"].append({"total":n,"count":k,"drawn":r.sample(range(n),k)})
out["choices"]=r.choices(range(13),k=20)
out["big"]=random.Random(2**40+7).random()
R=[(r"#### (\-?[0-9\.\,]+)","x #### -1,200. y #### 3"),(r"(?i)answer is \(?([A-D])\)?","The Answer is (B) and answer is c"),(r"(?P<a>\w+)-(?P<b>\d+)","ñandú-12 б-٣"),(r"\bé\w*","élan pré été"),(r"[^\d\s]+$","abc 12 de\n"),(r"a{2}|b{|}","aa b{ }"),(r"[]x]+","]x]"),(r"\A(\w)(\w)?","q"),(r"(-?[$0-9.,]{2,})|(-?[0-9]+)","costs $12.50 or 7"),(r"\s+","a\u0085b\ufeffc d"),(r"[\w\-]+","a-b_c d"),(r"\.$","end.\n"),(r"(?m)^b$","a\nb\nc")]
out["findall"]=[{"pattern":p,"text":t,"found":[list(m) if isinstance(m,tuple) else m for m in re.findall(p,t)]} for p,t in R]
S=[(r"(\w+) (\w+)",r"\2-\1 \g<0>","ab cd ef",0),(r"a","b","aaa",2),(r"[,.]","","1,000.5",0)]
out["sub"]=[{"pattern":p,"replacement":q,"text":t,"count":c,"result":re.sub(p,q,t,count=c)} for p,q,t,c in S]
import ast
L=["['a', \"it's\", 'q\\'s\"', '\\n\\xa0é']","(1, -2.5, None, True)","{'a': [1], 2: 'b'}","'x' 'y'","[1, 2","foo","[]","(1,)","1e-05"," [ 'a' , ]"]
out["literal"]=[]
for s in L:
    try: v=ast.literal_eval(s); ok=True
    except Exception: v=None; ok=False
    out["literal"].append({"source":s,"ok":ok,"value":v if not isinstance(v,tuple) else list(v)})
target = Path(__file__).parents[2] / "packages/perennial/src/evaluate/tasks/golden/python.json"
target.write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")
