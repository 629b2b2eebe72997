/** What was replayed of the dead letters, for whoever replays some: a record by letter, the last of which is true. */
export const replaysTopic = 'millrace-replays'

/** How often a record may be replayed: what fails again each time would go round for ever. */
export const replaysMax = 3

/**
 * The header of a replayed record that names for whom it is: who gave the record up, as its dead letter said. All others who read the
 * topic have had the record already, and leave this one out; without the header it is for everybody.
 */
export const replayForHeader = 'millrace_replay_for'
