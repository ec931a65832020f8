"""Computes the trail's published test vectors from docs alone; prints trail-vectors.jsonl. Needs nothing but Python."""
import hashlib
import json

AT = "2026-09-21T14:13:2%d.000Z"
DEEDS = [
    {"action": "farero.start", "actor": {"kind": "farero", "name": "run"}, "object": {"kind": "farero", "name": "0.1.0"},
     "outcome": "done"},
    {"action": "user.change", "actor": {"kind": "person", "name": "ana"}, "from": "192.0.2.7",
     "change": [{"field": "role", "before": "viewer", "after": "operator"}, {"field": "team", "before": "turno"},
                {"field": "password"}],
     "object": {"kind": "user", "name": "luis"}, "outcome": "done"},
    {"action": "alert.acknowledge", "actor": {"kind": "token", "name": "ana", "token": 'ci "main"'},
     "business_id": "CAMBIO-2026-17", "detail": "línea uno\n\tlínea dos \\  <b>☃</b> 🦀", "system": "sigcerh",
     "environment": "producción", "object": {"kind": "alert", "name": "00ff-1"}, "outcome": "done"},
    {"action": "session.begin", "actor": {"kind": "nobody"}, "detail": "wrong name or password", "from": "2001:db8::1",
     "object": {"kind": "user", "name": "root"}, "outcome": "refused"},
    {"action": "trail.export", "actor": {"kind": "local", "name": "root"}, "detail": "disk full",
     "object": {"kind": "trail", "name": ""}, "outcome": "failed"},
    {"action": "plan.reload", "actor": {"kind": "service", "name": "jenkins", "token": "t"},
     "object": {"kind": "plan", "name": ""}, "outcome": "done"},
]

previous = bytes(32)
for number, deed in enumerate(DEEDS, 1):
    deed["at"] = AT % (number - 1)
    # RFC 8785 for values that are strings, lists and objects with ASCII keys.
    text = json.dumps(deed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    content = hashlib.sha256(text.encode()).digest()
    digest = hashlib.sha256(b"farero.trail.entry.v1\0" + number.to_bytes(8, "big") + previous + content).digest()
    print(json.dumps({"sequence": number, "previous": previous.hex(), "hash": digest.hex(), "text": text},
                     ensure_ascii=False))
    previous = digest
