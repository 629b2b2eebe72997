import { isJsonValue } from '@millrace/core/json'
import type { ReadPayload } from '../src/event-item.ts'

/** Data that is JSON as it is. */
export const readJson: ReadPayload = (_entry, _headers, value) => {
  try {
    const data: unknown = JSON.parse(value.toString())
    return isJsonValue(data) ? data : undefined
  } catch {
    return undefined
  }
}
