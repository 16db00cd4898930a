from ..http.conftest import gateway

__all__ = ["gateway"]
