"""The manifest of a corpus: which programs and captures, and what they are.

    [[case]]
    name = "randomx-jit"
    kind = "miner"                # or "innocent"
    family = "RandomX"            # what a finding must name; miners only
    variant = "gcc-O2"            # how it was built: a column of the matrix
    command = ["./driver", "jit"] # started offline, on one CPU, and ended
    ready = "ready"               # scanned when it printed this line, else
    wait = 3                      # after so many seconds (2)
    seconds = 60                  # killed after so many (60)

    [[case]]
    name = "xmrig-6.26"
    kind = "miner"
    family = "XMRig"
    capture = "xmrig.dlc"         # of `davylamp rules capture`

    accept = "LOW"                # a finding up to this severity is no false
                                  # alarm: wallets, which do hold the code

Paths are relative to the manifest's folder."""
import dataclasses
import pathlib
import tomllib

KINDS = ("miner", "innocent")
SEVERITIES = ("", "LOW", "MEDIUM", "HIGH")


class Bad(Exception):
    """The manifest is at fault; the text says where and how to mend it."""


@dataclasses.dataclass
class Case:
    name: str
    kind: str
    family: str = ""
    variant: str = ""
    command: tuple = ()
    capture: str = ""
    ready: str = ""
    wait: float = 2
    seconds: float = 60
    accept: str = ""
    folder: pathlib.Path = pathlib.Path(".")

    @property
    def is_miner(self):
        return self.kind == "miner"


TYPES = {"name": str, "kind": str, "family": str, "variant": str,
         "command": list, "capture": str, "ready": str, "wait": (int, float),
         "seconds": (int, float), "accept": str}


def read_case(path, number, table):
    where = f"{path}: case {number}"
    if not isinstance(table, dict):
        raise Bad(f"{where}: is no table; write [[case]]")
    where += f" ('{table['name']}')" if isinstance(table.get("name"),
                                                    str) else ""
    for key, value in table.items():
        if key not in TYPES:
            raise Bad(f"{where}: unknown key '{key}'; one of "
                      f"{', '.join(TYPES)}")
        if not isinstance(value, TYPES[key]) or isinstance(value, bool):
            raise Bad(f"{where}: {key} has a value of the wrong type")
    if not table.get("name"):
        raise Bad(f"{where}: has no name")
    if table.get("kind") not in KINDS:
        raise Bad(f"{where}: kind must be one of {', '.join(KINDS)}")
    if ("command" in table) == ("capture" in table):
        raise Bad(f"{where}: give a command or a capture")
    if table.get("accept", "") not in SEVERITIES:
        raise Bad(f"{where}: accept must be LOW, MEDIUM or HIGH")
    if not all(isinstance(x, str) for x in table.get("command", ["x"])):
        raise Bad(f"{where}: command must be a list of words")
    if "command" in table and not table["command"]:
        raise Bad(f"{where}: command is empty")
    if not 0 <= table.get("wait", 0) <= 3600 or not (
            0 < table.get("seconds", 1) <= 3600):
        raise Bad(f"{where}: wait and seconds are at most 3600")
    return Case(**{**table, "command": tuple(table.get("command", ()))},
                folder=path.parent)


def read_one(path):
    """The cases of the manifest at @path, or Bad."""
    path = pathlib.Path(path)
    try:
        with open(path, "rb") as f:
            tables = tomllib.load(f)
    except OSError as e:
        raise Bad(f"{path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Bad(f"{path}: {e}") from e
    if set(tables) - {"case"}:
        raise Bad(f"{path}: only [[case]] is known here, not "
                  f"'{min(set(tables) - {'case'})}'")
    listed = tables.get("case", [])
    if not isinstance(listed, list) or not listed:
        raise Bad(f"{path}: has no [[case]]")
    return [read_case(path, i, t) for i, t in enumerate(listed, 1)]


def read(*paths):
    """The cases of all manifests at @paths, or Bad."""
    cases = {}
    for path in paths:
        for c in read_one(path):
            if c.name in cases:
                raise Bad(f"{path}: two cases are called '{c.name}'")
            cases[c.name] = c
    return list(cases.values())
