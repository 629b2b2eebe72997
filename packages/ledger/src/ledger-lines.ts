import { literal } from './database.ts'
import { ledgerColumns } from './ledger.ts'

const lineBytesMax = 4 * 1_048_576

const types: Record<(typeof ledgerColumns)[number], string> = {
  kind: 'VARCHAR',
  request: 'VARCHAR',
  at_ms: 'BIGINT',
  id: 'VARCHAR',
  partition: 'INTEGER',
  offset: 'BIGINT',
  sha256: 'VARCHAR',
  detail: 'VARCHAR',
}

function lines(file: string): string {
  return `read_csv(${literal(file)}, delim = '\\t', quote = '', escape = '', header = false, auto_detect = false,
    max_line_size = ${lineBytesMax}, columns = {${ledgerColumns.map((name) => `'${name}': '${types[name]}'`).join(', ')}})`
}

/** SQL for the answers in a ledger's file, one row for each event: status, request, at_ms, id, partition, offset, sha256, detail. */
export function answersIn(file: string): string {
  return `(SELECT kind AS status, * EXCLUDE (kind) FROM ${lines(file)} WHERE kind <> 'sending')`
}

/** SQL for what was sent, one row for each event of each request, in order: position, request, at_ms, id, sha256 (null where it was not noted). */
export function sendingsIn(file: string): string {
  // The lists of a line are taken apart side by side: a row that carries them along would be as large as its whole request.
  return `(
    SELECT row_number() OVER (ORDER BY line, index) AS position, request, at_ms, id, nullif(sha256, '') AS sha256
    FROM (
      SELECT line, request, at_ms, unnest(ids) AS id, unnest(digests) AS sha256, unnest(range(1, len(ids) + 1)) AS index
      FROM (
        SELECT row_number() OVER () AS line, request, at_ms, string_split(detail, ' ') AS ids,
          string_split(coalesce(sha256, ''), ' ') AS digests
        FROM ${lines(file)} WHERE kind = 'sending')))`
}
