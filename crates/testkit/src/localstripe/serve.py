"""Starts localstripe on a port of this machine, which is the only argument."""

import sys

from aiohttp import web
from localstripe import resources, server

# It would write all that it knows to one file, which every localstripe of this machine shares.
resources.Store.dump_to_disk = lambda store: None

web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
