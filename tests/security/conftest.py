from ..faults.conftest import closing_later, set_up, two_nodes

__all__ = ["closing_later", "set_up", "two_nodes"]
