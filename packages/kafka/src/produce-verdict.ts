import { ProtocolError, protocolErrorsCodesById } from '@platformatic/kafka'

/**
 * What an answer to a batch means.
 * - `again`: it is not stored, and may be at the next attempt
 * - `maybe`: it may be stored; the next attempt tells
 * - `disowned`: it is not stored, nor will be under this producer id
 * - `lost`: it is stored, but where is not known any more
 * - `unfit`: it is not stored, nor will be, for what one of its records is, or they are together
 * - `refused`: it is not stored, nor will be
 */
export type Verdict = 'stored' | 'again' | 'maybe' | 'disowned' | 'lost' | 'unfit' | 'refused'

/** What a topic does not take of a record, whoever writes it: too large, without a key where it is compacted, with a time that is far off. */
export const unfitErrors: readonly string[] = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]

/** The codes that do not mean what `canRetry` says of them. */
const verdicts = new Map<string, Verdict>([
  ['NONE', 'stored'],
  ['REQUEST_TIMED_OUT', 'maybe'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'maybe'],
  ['NETWORK_EXCEPTION', 'maybe'],
  // Also answered by a leader that lost the partition while it waited for the other replicas.
  ['NOT_LEADER_OR_FOLLOWER', 'maybe'],
  ['KAFKA_STORAGE_ERROR', 'maybe'],
  ['UNKNOWN_SERVER_ERROR', 'maybe'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'disowned'],
  ['INVALID_PRODUCER_EPOCH', 'disowned'],
  ['UNKNOWN_PRODUCER_ID', 'disowned'],
  ['INVALID_PRODUCER_ID_MAPPING', 'disowned'],
  ['PRODUCER_FENCED', 'disowned'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'lost'],
  ...unfitErrors.map((name): [string, Verdict] => [name, 'unfit']),
])

/** @see https://kafka.apache.org/protocol.html#protocol_error_codes */
export function verdictOf(errorCode: number): Verdict {
  const known = verdicts.get(protocolErrorsCodesById[errorCode] ?? unknownError)
  return known ?? (protocolError(errorCode)['canRetry'] === true ? 'again' : 'refused')
}

/** The error of a code, with what the broker adds. */
export function protocolError(errorCode: number, message?: string): ProtocolError {
  return new ProtocolError(protocolErrorsCodesById[errorCode] ?? unknownError, message)
}

/** What a code that came with a later version is taken for. */
const unknownError = 'UNKNOWN_SERVER_ERROR'
