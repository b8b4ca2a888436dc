"""Repositories made by python-tuf for the tests of the client: generate.py FOLDER.

Each scenario is a folder with the first root (`root.json`) and one folder for each state of its repository (`1`, `2`, ...).
"""

import copy
import hashlib
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

NOW = datetime(2026, 1, 10, tzinfo=timezone.utc)
LATER = NOW + timedelta(days=30)
PAST = NOW - timedelta(seconds=1)
OUT = Path(sys.argv[1])
TOP = ["timestamp", "snapshot", "targets", "root"]


def key():
    return CryptoSigner.generate_ed25519()


def release(engine, version="1.0.0", target="x86_64-unknown-linux-gnu", **changes):
    """Path, bytes and custom of an engine's package."""
    custom = {
        "engine": engine, "version": version, "channel": "stable", "target": target, "name": engine.title(),
        "description": "An engine.", "publisher": "Acme", "tier": "professional", "entitlement": engine,
        "requires": {"host": "*"}, "notes": "", "built_at": "2026-01-01T00:00:00Z",
        "published_at": "2026-01-02T00:00:00Z",
    }
    custom.update(changes)
    return f"engines/{engine}/{version}/{target}.engine", f"{engine} {version}".encode(), custom


class Repository:
    """A repository that can be written in one state after another, honestly or not."""

    def __init__(self, name):
        self.folder = OUT / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.state = 0
        self.keys = {role: [key()] for role in TOP}
        self.root = Root(expires=LATER, consistent_snapshot=True)
        for role in TOP:
            self.root.add_key(self.keys[role][0].public_key, role)
        self.roots = {}
        self.add_root()
        self.targets = Targets(expires=LATER)
        self.targets.delegations = Delegations({}, {})
        self.roles = {}
        self.snapshot = Snapshot(expires=LATER)
        self.timestamp = Timestamp(expires=LATER)
        self.bytes = {}

    def add_root(self, signers=None):
        """The root as it is now, signed by the root keys (or by those given)."""
        metadata = Metadata(copy.deepcopy(self.root))
        for signer in signers if signers is not None else self.keys["root"]:
            metadata.sign(signer, append=True)
        self.roots[self.root.version] = metadata.to_bytes(JSONSerializer())
        if self.root.version == 1:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "root.json").write_bytes(self.roots[1])

    def rotate(self, role, signers=None, keep=False):
        """A new root with another key for a role; signed by old and new root keys."""
        old = list(self.keys["root"])
        new = key()
        if not keep:
            for known in self.keys[role]:
                self.root.revoke_key(known.public_key.keyid, role)
            self.keys[role] = []
        self.keys[role].append(new)
        self.root.add_key(new.public_key, role)
        self.root.version += 1
        both = {s.public_key.keyid: s for s in old + self.keys["root"]}
        self.add_root(signers if signers is not None else list(both.values()))

    def delegate(self, name, paths, engines=(), parent=None, terminating=False, hash_prefixes=None):
        parent = parent or self.targets
        if parent.delegations is None:
            parent.delegations = Delegations({}, {})
        signer = key()
        self.keys[name] = [signer]
        role = DelegatedRole(name, [], 1, terminating, paths=paths, path_hash_prefixes=hash_prefixes)
        parent.delegations.roles[name] = role
        parent.add_key(signer.public_key, name)
        self.roles[name] = Targets(expires=LATER)
        for engine in engines:
            self.add(*release(engine), role=name)
        return self.roles[name]

    def add(self, path, data, custom=None, role=None):
        targets = self.roles[role] if role else self.targets
        target = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None:
            target.unrecognized_fields["custom"] = custom
        targets.targets[path] = target
        self.bytes[path] = data

    def bump(self, *roles):
        for role in roles:
            signed = getattr(self, role, None) or self.roles[role]
            signed.version += 1

    def signed(self, role, signed, signers=None):
        metadata = Metadata(copy.deepcopy(signed))
        metadata.signatures.clear()
        for signer in signers if signers is not None else self.keys[role]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes(JSONSerializer())

    def write(self, signers=None, hashes=True, lists=None, replace=None):
        """One more state. `signers`: others for a role. `lists`: versions that the snapshot shall list.
        `replace`: other bytes for a file, that nobody above knows of."""
        signers, lists, replace = signers or {}, lists or {}, replace or {}
        self.state += 1
        metadata = self.folder / str(self.state) / "metadata"
        metadata.mkdir(parents=True)
        for version, data in self.roots.items():
            (metadata / f"{version}.root.json").write_bytes(data)
        self.snapshot.meta = dict(self.snapshot.meta)
        for role, signed in [("targets", self.targets), *self.roles.items()]:
            data = self.signed(role, signed, signers.get(role))
            (metadata / f"{signed.version}.{role}.json").write_bytes(data)
            self.snapshot.meta[f"{role}.json"] = self.meta(lists.get(role, signed.version), data, hashes)
        data = self.signed("snapshot", self.snapshot, signers.get("snapshot"))
        (metadata / f"{self.snapshot.version}.snapshot.json").write_bytes(data)
        self.timestamp.snapshot_meta = self.meta(self.snapshot.version, data, hashes)
        data = self.signed("timestamp", self.timestamp, signers.get("timestamp"))
        (metadata / "timestamp.json").write_bytes(data)
        for name, data in replace.items():
            (metadata / name).write_bytes(data)
        for path, data in self.bytes.items():
            folder, _, name = path.rpartition("/")
            target = self.folder / str(self.state) / "targets" / folder
            if ".." in path or path.startswith("/"):
                continue
            target.mkdir(parents=True, exist_ok=True)
            (target / f"{hashlib.sha256(data).hexdigest()}.{name}").write_bytes(data)
        return metadata

    @staticmethod
    def meta(version, data, hashes):
        if not hashes:
            return MetaFile(version)
        return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})


def two(name):
    """A repository with two publishers."""
    repository = Repository(name)
    repository.add("floors.json", b'{"backup": "1.0.0"}')
    repository.delegate("acme", ["engines/backup/*/*"], ["backup"])
    repository.delegate("zeta", ["engines/audit/*/*"], ["audit"])
    return repository


def good():
    r = two("good")
    r.write()
    r.add(*release("backup", "1.1.0"), role="acme")
    r.bump("acme", "snapshot", "timestamp")
    r.write()
    r = two("without_hashes")
    r.write(hashes=False)


def rollback():
    r = two("rollback_timestamp")
    r.write()
    r.bump("timestamp")
    r.write()
    shutil.copytree(r.folder / "1", r.folder / "3")
    for role, name in [("snapshot", "snapshot"), ("targets", "targets"), ("acme", "delegated")]:
        r = two(f"rollback_{name}")
        r.bump(role)
        if role != "snapshot":
            r.bump("snapshot")
        r.bump("timestamp")
        r.write()
        signed = getattr(r, role, None) or r.roles[role]
        signed.version -= 1
        if role != "snapshot":
            r.bump("snapshot")
        r.bump("timestamp")
        r.write()
    r = two("role_removed")
    r.write()
    del r.snapshot.meta["zeta.json"], r.roles["zeta"], r.targets.delegations.roles["zeta"]
    r.bump("targets", "snapshot", "timestamp")
    r.write()


def freeze():
    for role in ["timestamp", "snapshot", "targets"]:
        r = two(f"freeze_{role}")
        getattr(r, role).expires = PAST
        r.write()
    r = two("freeze_root")
    r.root.expires = PAST
    r.root.version = 2
    r.add_root()
    r.write()


def mix():
    r = two("mix_snapshot")
    r.write()
    old = (r.folder / "1/metadata/1.snapshot.json").read_bytes()
    r.bump("snapshot", "timestamp")
    r.write(replace={"2.snapshot.json": old})
    # Signed as it should be, of the listed version, and not the one that is listed.
    r = two("mix_targets")
    other = copy.deepcopy(r.targets)
    other.targets = {}
    r.write(replace={"1.targets.json": r.signed("targets", other)})
    r = two("mix_versions")
    r.write(hashes=False, lists={"targets": 2}, replace={"2.targets.json": r.signed("targets", r.targets)})
    r = two("mix_unlisted")
    r.write()
    del r.snapshot.meta["targets.json"]
    r.snapshot.version, r.timestamp.version = 2, 2
    data = r.signed("snapshot", r.snapshot)
    r.timestamp.snapshot_meta = r.meta(2, data, True)
    r.state = 2
    shutil.copytree(r.folder / "1", r.folder / "2")
    (r.folder / "2/metadata/2.snapshot.json").write_bytes(data)
    (r.folder / "2/metadata/timestamp.json").write_bytes(r.signed("timestamp", r.timestamp))


def fast_forward():
    for name, roles in [("fast_forward", ["timestamp", "snapshot"]), ("fast_forward_timestamp", ["timestamp"]),
                        ("fast_forward_snapshot", ["snapshot"]), ("fast_forward_without_rotation", [])]:
        r = two(name)
        honest = copy.deepcopy((r.timestamp, r.snapshot, r.targets))
        for signed in (r.timestamp, r.snapshot, r.targets):
            signed.version = 2**31 - 1
        r.write()
        (r.timestamp, r.snapshot, r.targets) = honest
        for role in roles:
            r.rotate(role)
        r.bump("timestamp", "snapshot", "targets")
        r.write()
    # The old key still signs, beside a new one.
    r = two("fast_forward_added_key")
    honest = copy.deepcopy((r.timestamp, r.snapshot))
    r.timestamp.version = r.snapshot.version = 2**31 - 1
    r.write()
    (r.timestamp, r.snapshot) = honest
    r.rotate("timestamp", keep=True)
    r.write()


def keys():
    for role in ["timestamp", "snapshot", "targets"]:
        r = two(f"wrong_key_{role}")
        r.write(signers={role: [key()]})
        # The thief of one role's key signs another role.
        other = "targets" if role == "timestamp" else "timestamp"
        r = two(f"other_key_{role}")
        r.write(signers={role: r.keys[other]})
    r = two("threshold")
    second = key()
    r.root.add_key(second.public_key, "targets")
    r.root.roles["targets"].threshold = 2
    r.root.version = 2
    r.add_root()
    r.write()
    r.keys["targets"].append(second)
    r.write()
    one = json.loads(r.signed("targets", r.targets, [second]))
    one["signatures"] *= 2
    r.write(hashes=False, replace={"1.targets.json": json.dumps(one).encode()})
    # One key under two ids: a field that means nothing makes another id.
    r = two("key_under_two_ids")
    twin = copy.deepcopy(r.keys["targets"][0].public_key)
    twin.unrecognized_fields["note"] = "twin"
    from securesystemslib.formats import encode_canonical
    twin.keyid = hashlib.sha256(encode_canonical(twin.to_dict()).encode()).hexdigest()
    r.root.add_key(twin, "targets")
    r.root.roles["targets"].threshold = 2
    r.root.version = 2
    r.add_root()
    double = json.loads(r.signed("targets", r.targets))
    double["signatures"].append({"keyid": twin.keyid, "sig": double["signatures"][0]["sig"]})
    r.write(hashes=False, replace={"1.targets.json": json.dumps(double).encode()})


def delegations():
    r = two("bad_delegation_key")
    r.write(signers={"acme": [key()]})
    r = two("bad_delegation_expired")
    r.roles["acme"].expires = PAST
    r.write()
    r = two("bad_delegation_missing")
    (r.write() / "1.acme.json").unlink()
    r = two("bad_delegation_content")
    r.write(replace={"1.acme.json": b"{}"})
    r = two("bad_delegation_garbage")
    r.write(hashes=False, replace={"1.acme.json": b"\xff garbage"})
    r = two("bad_delegation_unlisted")
    r.write()
    del r.snapshot.meta["acme.json"]
    data = r.signed("snapshot", r.snapshot)
    r.timestamp.snapshot_meta = r.meta(1, data, True)
    metadata = r.folder / "1/metadata"
    (metadata / "1.snapshot.json").write_bytes(data)
    (metadata / "timestamp.json").write_bytes(r.signed("timestamp", r.timestamp))
    r = two("bad_delegation_threshold")
    r.targets.delegations.roles["acme"].threshold = 2
    r.targets.add_key(key().public_key, "acme")
    r.write()
    r = two("foreign_path")
    r.add(*release("audit", "9.9.9"), role="acme")
    r.write()
    r = two("false_release")
    path, data, custom = release("backup", "2.0.0")
    r.add(path, data, dict(custom, version="3.0.0"), role="acme")
    r.write()


def priorities():
    # Both may publish the path; the first has it.
    r = Repository("priority")
    r.delegate("first", ["engines/*/*/*"], ["backup"])
    r.delegate("second", ["engines/backup/*/*"], ["backup"])
    r.add(*release("backup", "2.0.0"), role="second")
    r.write()
    # A terminating delegation is the last that is asked.
    r = Repository("terminating")
    r.delegate("first", ["engines/*/*/*"], ["backup"], terminating=True)
    r.delegate("second", ["engines/backup/*/*"])
    r.add(*release("backup", "2.0.0"), role="second")
    r.write()
    # Who breaks the first role does not thereby give its paths to the second.
    r = Repository("broken_first")
    r.delegate("first", ["engines/backup/*/*"], ["backup"])
    r.delegate("second", ["engines/*/*/*"], ["backup", "audit"])
    r.write(signers={"first": [key()]})
    r = Repository("nested")
    r.delegate("acme", ["engines/backup/*/*", "engines/audit/*/*"], ["backup"])
    r.delegate("team", ["engines/*/*/*"], ["audit", "other"], parent=r.roles["acme"])
    r.write()
    # A publisher delegates to the name of another publisher's role.
    r = Repository("stolen_name")
    acme = r.delegate("acme", ["engines/backup/*/*"], ["backup"])
    r.delegate("zeta", ["engines/audit/*/*"], ["audit"])
    thief = key()
    acme.delegations = Delegations({}, {"zeta": DelegatedRole("zeta", [], 1, False, paths=["engines/backup/*/*"])})
    acme.add_key(thief.public_key, "zeta")
    r.write()
    r = Repository("prefixes")
    wanted = hashlib.sha256(release("backup")[0].encode()).hexdigest()[:4]
    r.delegate("acme", None, ["backup", "audit"], hash_prefixes=[wanted])
    r.write()
    r = Repository("strange_pattern")
    r.delegate("acme", ["engines/[ab]*/*/*"], ["backup"])
    r.delegate("zeta", ["engines/audit/*/*"], ["audit"])
    r.write()
    r = Repository("strange_role")
    r.delegate("../zeta", ["engines/backup/*/*"])
    del r.roles["../zeta"]
    r.delegate("Snapshot", ["engines/backup/*/*"])
    del r.roles["Snapshot"]
    r.delegate("zeta", ["engines/audit/*/*"], ["audit"])
    r.write()


def names():
    r = two("names_case")
    r.add("engines/backup/1.0.0/X86_64-unknown-linux-gnu.engine", b"other", role="acme")
    r.write()
    r = two("names_case_top")
    r.add("Floors.json", b"{}")
    r.write()
    # In two roles, each of which may name its path.
    r = Repository("names_case_across")
    r.delegate("acme", ["engines/backup/*/*"], ["backup"])
    r.delegate("zeta", ["engines/Backup/*/*"], ["Backup"])
    r.write()
    for name, path in [("up", "engines/backup/../../../etc/passwd"), ("absolute", "/etc/passwd"),
                       ("backslash", "engines\\backup"), ("dots", "..")]:
        r = two(f"traversal_{name}")
        r.add(path, b"evil", role="acme")
        r.write()
    r = two("traversal_top")
    r.add("../floors.json", b"evil")
    r.write()


def roots():
    r = two("root_chain")
    r.rotate("timestamp")
    r.rotate("root")
    r.rotate("root")
    r.rotate("targets")
    r.write()
    r.rotate("root")
    r.bump("timestamp")
    r.write()
    # Threshold of two: one key stays at each step.
    r = two("root_chain_threshold")
    second = key()
    r.keys["root"].append(second)
    r.root.add_key(second.public_key, "root")
    r.root.roles["root"].threshold = 2
    r.root.version = 2
    r.add_root()
    for _ in range(2):
        old = list(r.keys["root"])
        r.root.revoke_key(old[0].public_key.keyid, "root")
        new = key()
        r.keys["root"] = [old[1], new]
        r.root.add_key(new.public_key, "root")
        r.root.version += 1
        r.add_root([*old, new])
    r.write()
    # The new root is not signed by the old keys, or not by its own.
    for name, own in [("root_not_by_old", True), ("root_not_by_own", False)]:
        r = two(name)
        r.rotate("timestamp")
        old = list(r.keys["root"])
        r.rotate("root", signers=old if not own else [])
        if own:
            r.add_root(r.keys["root"])
        r.rotate("timestamp")
        r.write()
    r = two("root_gap")
    for _ in range(3):
        r.rotate("timestamp")
    del r.roots[3]
    r.write()
    r = two("root_version")
    r.root.version = 3
    r.add_root()
    r.roots[2] = r.roots.pop(3)
    r.write()
    r = two("root_of_another_kind")
    r.roots[2] = r.signed("targets", r.targets, r.keys["root"])
    r.write()
    r = two("root_withheld")
    r.rotate("root")
    r.write()
    shutil.copytree(r.folder / "1", r.folder / "2")
    (r.folder / "2/metadata/2.root.json").unlink()
    r = two("root_not_consistent")
    r.root.consistent_snapshot = False
    r.root.version = 2
    r.add_root()
    r.write()


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for scenario in [good, rollback, freeze, mix, fast_forward, keys, delegations, priorities, names, roots]:
        scenario()
