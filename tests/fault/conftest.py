"""The same fixtures as the flow tests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))
from conftest import fresh, server  # noqa: E402,F401
