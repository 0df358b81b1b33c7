/** Calls multiplexed on one long-lived stream: `docs/protocol.md` section 3. */
export const CHANNEL_PROTOCOL = '/modelnet/channel/1'
/** Member records of small networks. */
export const MEMBERSHIP_PROTOCOL = '/modelnet/membership/1'

/** Protocols this implementation speaks, as its member record announces them. */
export const PROTOCOLS: readonly string[] = [CHANNEL_PROTOCOL, MEMBERSHIP_PROTOCOL]

/**
 * The protocol two nodes use: of those both announce with the same name, the one with the highest version. A version
 * changes only when an old reader could misunderstand a new writer; new optional fields do not change it, since
 * readers keep fields they do not know.
 */
export function chooseProtocol(name: string, ours: readonly string[], theirs: readonly string[]): string | undefined {
  const versions = ours
    .filter(protocol => theirs.includes(protocol))
    .flatMap(protocol => {
      const version = new RegExp(`^/modelnet/${name}/([1-9][0-9]{0,5})$`).exec(protocol)?.[1]
      return version === undefined ? [] : [{ protocol, version: Number(version) }]
    })
  return versions.sort((a, b) => b.version - a.version)[0]?.protocol
}
