import ipaddr from 'ipaddr.js';

/** Bits of an IPv6 address that one client has at least; it may change the others as it likes. */
const IPV6_BITS = 64;

/** What failed attempts of a client are counted by: its address, of IPv6 the network it is in. */
export function addressToCount(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  // An IPv4 address in the dress of IPv6 is what it is.
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toNormalizedString()}/${IPV6_BITS}`).toString();
}
