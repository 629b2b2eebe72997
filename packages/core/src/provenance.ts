/** How a result came about: attributes that a result has beside those of any event. They are CloudEvents extensions. */
export const provenanceHeaders = {
  /**
   * Of two results of a window and group, the one with the greater revision replaces the other. 1 for the first; each event that comes late adds
   * one, and several that come together when a job has just begun again make one result.
   */
  revision: 'ce_revision',
  /** How many events it is computed over. */
  counted: 'ce_counted',
  /** How many of them came after their window had closed. */
  late: 'ce_late',
  /** How many events of its window and group the filter took out while it was open; absent for sessions, which they are in none of. */
  filtered: 'ce_filtered',
  /** The first and the last offset of the events that it is computed over, by partition: `0:12-40,2:7-7`. */
  offsets: 'ce_offsets',
} as const
