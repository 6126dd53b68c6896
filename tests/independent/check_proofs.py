"""Checks Rollbook's checkpoints, proofs and certificates with programs that share no code with it.

    python check_proofs.py ROLLBOOK EXPORT

`aics-tlog` reads the notes, checks the signatures and walks the proofs; `pymerkle` computes roots of its own from the leaves. Both are
from PyPI; `cargo xtask check-proofs` installs them into a directory of its own and runs this. What is parsed here is what docs/proofs.md
says of the files, and nothing of Rollbook's source is used.
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile

import pymerkle
from aics_tlog import MerkleTree, leaf_hash, parse_note, parse_vkey, verify_checkpoint, verify_consistency, verify_inclusion
from aics_tlog import Checkpoint, sign_checkpoint, vkey_from_ed25519, format_vkey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROLLBOOK, EXPORT = sys.argv[1:3]
HOME = pathlib.Path(tempfile.mkdtemp(prefix="rollbook-check-proofs-"))
counted = {}


def rollbook(store, *arguments, code=0):
    global LAST
    LAST = subprocess.run([ROLLBOOK, "--data", str(HOME / store), *map(str, arguments)], capture_output=True, text=True)
    assert LAST.returncode in (code if isinstance(code, tuple) else (code,)), (arguments, LAST)
    return LAST.stdout


def holds(what, condition):
    assert condition, what
    counted[what] = counted.get(what, 0) + 1


def refused(what, check):
    """A forgery: the other program must say no, by its answer or by an error."""
    try:
        answer = check()
    except (ValueError, KeyError, IndexError, UnicodeError):
        answer = False
    holds(what, not answer)


def exact(text):
    """Base64 as RFC 4648 has it: spare bits are zero. Python's own reader takes any."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("another text for the same bytes")
    return decoded


def head_of(note_text, key):
    """Size and root of a signed checkpoint, once its signature is checked."""
    for signature in note_text.split("\n\n", 1)[1].splitlines():
        exact(signature.rsplit(" ", 1)[1])
    result = verify_checkpoint(parse_note(note_text), key)
    if not result.log_ok:
        raise ValueError(result.error)
    _, size, root = note_text.split("\n")[:3]
    return int(size), exact(root)


def read_event_proof(text):
    head, note = text.split("\n\n", 1)
    first, extra, index, *path = head.split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not extra.startswith("extra ") or not index.startswith("index "):
        raise ValueError("no tlog-proof")
    kind, key, leaf = exact(extra[6:]).split(b"\n", 2)
    if kind != b"rollbook-event 1":
        raise ValueError("extra data of something else")
    return int(index[6:]), leaf, [exact(hash_) for hash_ in path], note, key.decode()


def event_holds(text, key):
    index, leaf, path, note, _ = read_event_proof(text)
    size, root = head_of(note, key)
    return verify_inclusion(leaf_hash(leaf), index, size, path, root)


def read_consistency_proof(text):
    lines, older, older_signatures, newer, newer_signatures = text.split("\n\n")
    first, key, *nodes = lines.split("\n")
    if first != "rollbook-consistency-proof 1" or not key.startswith("key "):
        raise ValueError("no consistency proof")
    nodes = [exact(node) for node in nodes]
    return f"{older}\n\n{older_signatures}\n", f"{newer}\n\n{newer_signatures}", nodes


def consistency_holds(text, key):
    older, newer, nodes = read_consistency_proof(text)
    (old_size, old_root), (new_size, new_root) = head_of(older, key), head_of(newer, key)
    return verify_consistency(old_size, new_size, old_root, new_root, nodes)


def certificate_holds(certificate, key):
    (old_size, old_root), (size, root) = head_of(certificate["before"], key), head_of(certificate["after"], key)
    nodes = [exact(node) for node in certificate["consistency"]]
    events = (certificate[part] for part in ("planned", "applied", "validated"))
    included = all(
        verify_inclusion(
            leaf_hash(exact(event["leaf"])), event["position"] - 1, size, [exact(hash_) for hash_ in event["path"]], root
        )
        for event in events
    )
    return included and verify_consistency(old_size, size, old_root, root, nodes)


def flipped(text, at):
    """One character of base64, or of a number, turned into another."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def interesting(text):
    """Places in a file that are worth changing: not line ends, and not what is said twice."""
    return [at for at in range(0, len(text), max(1, len(text) // 150)) if text[at].isalnum()]


rollbook("store", "import", EXPORT)
early = rollbook("store", "checkpoint")
batch = HOME / "batch.ndjson"
rollbook("store", "migrate", "plan", "--out", batch)
rollbook("store", "migrate", "apply", batch)
# Red where the export has dirt that a check names; it is on record all the same.
is_green = rollbook("store", "migrate", "validate", code=(0, 3)) and LAST.returncode == 0
late = rollbook("store", "checkpoint")
key_text = rollbook("store", "checkpoint", "--public-key").strip()
key = parse_vkey(key_text)
(early_size, early_root), (size, root) = head_of(early, key), head_of(late, key)
holds("checkpoints", size > early_size)

# Every event: proved, and all leaves together give the roots that were signed.
leaves = []
for position in range(1, size + 1):
    proof = rollbook("store", "prove", "event", position, "--size", size)
    index, leaf, path, _, named = read_event_proof(proof)
    holds("the key in a proof", named == key_text and index == position - 1)
    holds("events proved", event_holds(proof, key))
    leaves.append(leaf)
theirs, others = MerkleTree(leaves), pymerkle.InmemoryTree(algorithm="sha256")
for leaf in leaves:
    others.append_entry(leaf)
holds("roots by aics-tlog", (theirs.root(early_size), theirs.root(size)) == (early_root, root))
holds("roots by pymerkle", (others.get_root(early_size), others.get_root(size)) == (early_root, root))

# Growth between many pairs of sizes.
sizes = sorted({1, 2, 3, early_size - 1, early_size, early_size + 1, size // 2, size - 1, size})
for older in sizes:
    for newer in (newer for newer in sizes if newer >= older):
        proof = rollbook("store", "prove", "consistency", "--from", older, "--to", newer)
        holds("growth proved", consistency_holds(proof, key))
        _, _, nodes = read_consistency_proof(proof)
        holds("growth as aics-tlog proves it", nodes == theirs.consistency_proof(older, newer))

# The certificate, which a migration has whose checks are all green.
certificate_text = rollbook("store", "migrate", "certificate") if is_green else ""
if is_green:
    holds("certificates", certificate_holds(json.loads(certificate_text), key))

# Forgeries are refused here and there.
event_text = rollbook("store", "prove", "event", size // 3, "--size", size)
growth_text = rollbook("store", "prove", "consistency", "--from", early_size, "--to", size)
forged_file = HOME / "forged"
for text, check in ((event_text, event_holds), (growth_text, consistency_holds)):
    # Behind the key, which is given from outside.
    start = text.index("\nindex ") if "\nindex " in text else text.index("\n", text.index("\nkey ") + 1)
    for at in (at for at in interesting(text) if at > start):
        forged = flipped(text, at)
        refused("forgeries refused by aics-tlog", lambda: check(forged, key))
        forged_file.write_text(forged)
        rollbook("store", "check-proof", forged_file, "--key", key_text, code=3)
        holds("forgeries refused by rollbook", True)
for at in interesting(certificate_text) if is_green else ():
    forged = flipped(certificate_text, at)
    forged_file.write_text(forged)
    rollbook("store", "check-certificate", forged_file, "--key", key_text, code=3)
    holds("forged certificates refused by rollbook", True)
for part in ("before", "after", "consistency", "planned", "applied", "validated") if is_green else ():
    forged = json.loads(certificate_text)
    if part == "consistency":
        forged[part] = [flipped(node, 5) for node in forged[part]]
    elif isinstance(forged[part], str):
        forged[part] = flipped(forged[part], forged[part].index("\n") + 5)
    else:
        forged[part]["leaf"] = flipped(forged[part]["leaf"], 40)
    refused("forged certificates refused by aics-tlog", lambda: certificate_holds(forged, key))

# Forgeries with a name: each part of what is proved, by itself.
def lines_changed(text, change):
    return "\n".join(change(text.split("\n")))


def in_line(number, at):
    return lambda lines: [flipped(line, at) if index == number % len(lines) else line for index, line in enumerate(lines)]


def without(number):
    return lambda lines: lines[:number] + lines[number + 1 :]


def twice(number):
    return lambda lines: lines[:number] + lines[number : number + 1] + lines[number:]


def instead(number, text):
    return lambda lines: lines[:number] + [text] + lines[number + 1 :]


# Lines of an event's proof: first line, extra, index, path …, empty, origin, size, root, empty, signature.
event_lines = event_text.split("\n")
empty = event_lines.index("")
named = {
    "the leaf": in_line(1, len(event_lines[1]) - 8),
    "the index": instead(2, "index " + str(size // 3)),
    "a node of the path": in_line(3, 7),
    "a node left out": without(3),
    "a node twice": twice(3),
    "nodes swapped": lambda lines: lines[:3] + [lines[4], lines[3]] + lines[5:],
    "the log's name": in_line(empty + 1, 12),
    "the size": instead(empty + 2, str(size + 1)),
    "the root": in_line(empty + 3, 9),
    "the signature": in_line(empty + 5, len(event_lines[empty + 5]) - 20),
    "the key's id in the signature": in_line(empty + 5, event_lines[empty + 5].rindex(" ") + 2),
}
for what, change in named.items():
    forged = lines_changed(event_text, change)
    assert forged != event_text, what
    refused("named forgeries refused by aics-tlog", lambda: event_holds(forged, key))
    forged_file.write_text(forged)
    rollbook("store", "check-proof", forged_file, "--key", key_text, code=3)
    holds("named forgeries refused by rollbook", True)
forged_file.write_text(event_text)
other_key = format_vkey(vkey_from_ed25519(key_text.split("+")[0], Ed25519PrivateKey.generate().public_key()))
refused("another key refused by aics-tlog", lambda: event_holds(event_text, parse_vkey(other_key)))
rollbook("store", "check-proof", forged_file, "--key", other_key, code=3)

# And the other way round: what they sign and prove is believed here, with the key that is named.
private = Ed25519PrivateKey.generate()
their_key = vkey_from_ed25519("example.com/theirs", private.public_key())
signed = sign_checkpoint(Checkpoint("example.com/theirs", size, root), private, "example.com/theirs").serialise()
their_key_text = format_vkey(their_key)
for position in (1, early_size, size):
    extra = b"rollbook-event 1\n" + their_key_text.encode() + b"\n" + leaves[position - 1]
    lines = ["c2sp.org/tlog-proof@v1", "extra " + base64.b64encode(extra).decode(), f"index {position - 1}"]
    lines += [base64.b64encode(hash_).decode() for hash_ in theirs.inclusion_proof(position - 1, size)]
    forged_file.write_text("\n".join(lines) + "\n\n" + signed)
    holds("proofs by aics-tlog believed by rollbook", rollbook("store", "check-proof", forged_file, "--key", their_key_text))
    rollbook("store", "check-proof", forged_file, "--key", key_text, code=3)

# The manual's own lines, as they stand there.
manual = (pathlib.Path(__file__).parents[2] / "docs" / "proofs.md").read_text()
lines = manual.split("```python\n")[1].split("```")[0]
for position in (1, 2, early_size, size - 1, size):
    asked = lines.replace('["rollbook", "--data", "prod"', f'[{ROLLBOOK!r}, "--data", {str(HOME / "store")!r}').replace('"42"', f'"{position}"')
    exec(asked, {})
    holds("proofs believed by the manual's lines", asked != lines)

for what, count in counted.items():
    print(f"{count:>6}  {what}")
print(f"{EXPORT}: {sum(counted.values())} passed, 0 failed")
