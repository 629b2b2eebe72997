import type { CatalogListener } from '@millrace/kafka/catalog'

/** Notices in the catalog's entries that a topic has more partitions than it had. */
export function watchGrowth(onGrown: (topic: string) => void): NonNullable<CatalogListener['onChange']> {
  const known = new Map<string, number>()
  return (_type, entry) => {
    if (!entry) return
    const { topic, partitions } = entry
    const before = known.get(topic)
    known.set(topic, Math.max(partitions, before ?? 0))
    if (before !== undefined && partitions > before) onGrown(topic)
  }
}
