from tests.tchap_bridge.fixtures import person, relay

__all__ = ["person", "relay"]
