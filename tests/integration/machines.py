# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests: network namespaces on one bridge, all inside the network of the test itself.

A `Network` has a bridge with an address; each `Machine` of it has a namespace, a wire to the bridge
and an address of its own. Nothing of it can be seen outside of the test's own network, and all of it
goes when the machines' first processes end.
"""

import os
import shutil
import subprocess

import frame
import runner

networks = 0


def missing():
    """Why there can be no machines here; None where there can."""
    for name in ("ip", "unshare", "nsenter", "redis-server"):
        if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{name} is not installed"
    if not runner.OWN_NETWORK:
        return "no network of its own may be made here"
    if os.geteuid() != 0:
        return "only root can make machines"
    return None


def ip(*arguments):
    path = shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    subprocess.run([path, *arguments], check=True, capture_output=True)


class Machine:
    """One network namespace; what is started with its prefix runs there."""

    def __init__(self, network, name, number):
        self.name = name
        self.address = f"{network.prefix}{number}"
        self.wire = f"{name}{network.number}"[:15]
        self.keeper = network.case.keep(frame.Process(
            ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 1000000"],
            env={"PATH": os.environ["PATH"]}, name=f"machine {name}"))
        self.keeper.wait_line("ready")
        self.prefix = ["nsenter", f"--net=/proc/{self.keeper.pid}/ns/net"]
        ip("link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns",
           str(self.keeper.pid))
        ip("link", "set", self.wire, "master", network.bridge, "up")
        within = [*self.prefix, shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
        for arguments in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                          ["addr", "add", f"{self.address}/24", "dev", "eth0"]):
            subprocess.run([*within, *arguments], check=True, capture_output=True)

    def cut(self):
        """Pulls the wire: nothing comes or goes, and nobody is told."""
        ip("link", "set", self.wire, "down")

    def mend(self):
        ip("link", "set", self.wire, "up")


class Network:
    """A bridge in the test's own network, which is @address there. It goes with that network."""

    def __init__(self, case):
        global networks
        networks += 1
        self.case = case
        self.number = networks
        self.prefix = f"10.77.{self.number}."
        self.bridge = f"bridge{self.number}"
        self.address = f"{self.prefix}1"
        self.count = 1
        ip("link", "add", self.bridge, "type", "bridge", "forward_delay", "0")
        ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def machine(self, name):
        self.count += 1
        return Machine(self, name, self.count)
