"""Answers a question about the packages: `cargo metadata … | metadata.py QUESTION`."""

import json
import sys

CRATE = "socketioxide-jwt-auth"

metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
crate = next(package for package in packages.values() if package["name"] == CRATE)


def features():
    """The features of the crate, except the backends."""
    return sorted(set(crate["features"]) - {"default", "aws_lc_rs", "rust_crypto"})


def newer_rust():
    """Dependencies, direct or not, that need a newer Rust than the crate promises."""
    promised = version(crate["rust_version"])
    found, open_ids = set(), [crate["id"]]
    while open_ids:
        current = open_ids.pop()
        if current in found:
            continue
        found.add(current)
        for dependency in nodes[current]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                open_ids.append(dependency["pkg"])

    needed = [packages[identifier] for identifier in found]
    return sorted(
        f"{package['name']} {package['version']} needs Rust {package['rust_version']}"
        for package in needed
        if package["rust_version"] and version(package["rust_version"]) > promised
    )


def version(text):
    """`1.94` is `1.94.0`."""
    major, minor, patch = (text.split(".") + ["0"])[:3]
    return int(major), int(minor), int(patch)


question = sys.argv[1]
if question == "features":
    print("\n".join(features()))
elif question == "newer_rust":
    newer = newer_rust()
    if newer:
        sys.exit("\n".join(newer))
else:
    sys.exit(f"there is no question `{question}`")
