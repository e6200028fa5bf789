"""What limits know a client by: not an address, of which many have as many as they like."""

from ipaddress import IPv6Address, ip_address, ip_network


def network_of(ip: str) -> str:
    """Return the network an address belongs to: an IPv4 address itself, an IPv6 /64.

    An IPv4 address that a socket for both kinds writes as IPv6 is that IPv4 address.
    """
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
