/** How a result came about: attributes that a result has beside those of any event. They are CloudEvents extensions. */
export const provenanceHeaders = {
  /** 1 for the first result of a window and group; of two, the one with the greater revision holds. */
  revision: 'ce_revision',
  /** The `id` of the result that this one replaces; absent for the first. */
  replaces: 'ce_replaces',
  /** How many events it is computed over. */
  counted: 'ce_counted',
  /** How many of them came after their window had closed. */
  late: 'ce_late',
  /** How many events of its window and group the filter took out while it was open; absent for sessions, which they are in none of. */
  filtered: 'ce_filtered',
  /** The first and the last offset of the events that it is computed over, by partition: `0:12-40,2:7-7`. */
  offsets: 'ce_offsets',
} as const
