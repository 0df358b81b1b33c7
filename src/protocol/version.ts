/** Calls multiplexed on one long-lived stream: `docs/protocol.md` section 3. */
export const CHANNEL_PROTOCOL = '/modelnet/channel/1'
/** The methods `member/*` on a channel: `docs/protocol.md` section 6. */
export const MEMBERSHIP_PROTOCOL = '/modelnet/membership/1'
/** The methods `ad/*` on a channel, of a node that finds others through capability ads: section 6. */
export const ADS_PROTOCOL = '/modelnet/ads/1'

/** Protocols this implementation speaks, as its member record announces them. */
export const PROTOCOLS: readonly string[] = [CHANNEL_PROTOCOL, MEMBERSHIP_PROTOCOL]
