import { literal } from './database.ts'

/** A record of a megabyte is a line of up to four. */
const lineBytesMax = 8 * 1_048_576

/**
 * SQL for what Kafka's console consumer printed (`console-consumer.ts`): tab-separated timestamp, partition, offset, headers, key and value. Bytes
 * outside printable ASCII, and backslashes, are printed as `\xNN`: DuckDB's text form of a BLOB, so casting gives back the bytes as they
 * are in the log. `\,` separates headers and can therefore not occur in one. A null is printed as the bytes of `null.literal` would be, so
 * a record that has just these two bytes is read as null.
 */
export function consoleLines(file: string): string {
  return `(
    SELECT try_cast(regexp_extract(timestamp, '-?\\d+$') AS BIGINT) AS timestamp_ms, replace(partition, 'Partition:', '')::INTEGER AS partition, replace("offset", 'Offset:', '')::BIGINT AS "offset",
      headers, key, value
    FROM read_csv(${literal(file)}, delim = '\\t', quote = '', escape = '', header = false, auto_detect = false,
      nullstr = '\\x5CN', max_line_size = ${lineBytesMax}, columns = {
        'timestamp': 'VARCHAR', 'partition': 'VARCHAR', 'offset': 'VARCHAR', 'headers': 'VARCHAR', 'key': 'VARCHAR', 'value': 'VARCHAR'}))`
}

/** SQL for a header of such a line; null where there is none, or nothing in it. */
export function headerOf(name: string): string {
  return `nullif(regexp_extract(headers, '(?:^|\\\\,)${name}:(.*?)(?:\\\\,|$)', 1), '')`
}

/** SQL for the text of a value, or null where its bytes are not UTF-8. */
export const textOfValue = `CASE WHEN contains(value, '\\') THEN try(decode(value::BLOB)) ELSE value END`
export const sha256OfValue = 'sha256(value::BLOB)'
