/**
 * Expressions of SQL that read JSON as the pipeline does (JSON Schema's types, RFC 3339's times). DuckDB by itself is more
 * lenient in some places and stricter in others, and a verdict must not differ from the pipeline in what is well-formed.
 */

/** NaN, Infinity and a comma before a closing bracket: DuckDB takes them for JSON, RFC 8259 does not. */
const lenient = String.raw`,[ \t\r\n]*[}\]]|(?i:nan|inf)`
const string = String.raw`"(?:[^"\\]|\\.)*"`

/** The JSON of a text, or null where it is none. */
export function jsonOf(text: string): string {
  return `CASE
    WHEN regexp_matches(${text}, '${lenient}')
      AND regexp_matches(regexp_replace(${text}, '${string}', '""', 'g'), '${lenient}') THEN NULL
    ELSE TRY_CAST(${text} AS JSON) END`
}

/** Whether the value at a path is a finite number. A number beyond the doubles is JSON, and reads as infinite. */
export function isNumber(json: string, path: string): string {
  return `CASE json_type(${json}, '${path}')
    WHEN 'UBIGINT' THEN true
    WHEN 'BIGINT' THEN true
    WHEN 'DOUBLE' THEN isfinite((${json}->'${path}')::DOUBLE)
    ELSE false END`
}

/** Whether the value at a path is an integer of 64 bits; 1.0 and 1e3 are integers. An integer beyond them has the type DOUBLE. */
export function isInteger(json: string, path: string): string {
  const text = `${json}->>'${path}'`
  return `CASE json_type(${json}, '${path}')
    WHEN 'BIGINT' THEN true
    WHEN 'UBIGINT' THEN TRY_CAST(${text} AS BIGINT) IS NOT NULL
    WHEN 'DOUBLE' THEN NOT regexp_full_match(${text}, '-?\\d+')
      AND trunc((${text})::DOUBLE) = (${text})::DOUBLE AND TRY_CAST((${text})::DOUBLE AS BIGINT) IS NOT NULL
    ELSE false END`
}

const hour = String.raw`(?:[01]\d|2[0-3])`
const rfc3339 = String.raw`\d{4}-\d{2}-\d{2}[Tt]${hour}:[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-]${hour}:[0-5]\d)`
/** As all but a few write it, and DuckDB reads it rightly, and faster. */
const usual = String.raw`\d{4}-\d{2}-\d{2}T${hour}:[0-5]\d:[0-5]\dZ`
const dayMs = 86_400_000

/**
 * Milliseconds since the epoch of a time as RFC 3339 §5.6 writes it, finer digits cut off; null where it is none. A leap
 * second stands only at the end of a day in UTC, and counts as the first second of the next.
 */
export function epochMsOf(text: string): string {
  const minuteMs = `epoch_ms(TRY_CAST(substr(${text}, 1, 10) || ' ' || substr(${text}, 12, 5) AS TIMESTAMP))`
  const offsetMinutes = `CASE WHEN right(upper(${text}), 1) = 'Z' THEN 0
    ELSE (substr(${text}, -6, 1) || '1')::INTEGER * (substr(${text}, -5, 2)::INTEGER * 60 + right(${text}, 2)::INTEGER) END`
  const secondMs = `${minuteMs} + substr(${text}, 18, 2)::INTEGER * 1000 - (${offsetMinutes}) * 60000`
  const fractionMs = String.raw`rpad(regexp_extract(${text}, '\.(\d{1,3})', 1), 3, '0')::INTEGER`
  return `CASE
    WHEN regexp_full_match(${text}, '${usual}') THEN epoch_ms(TRY_CAST(${text} AS TIMESTAMP))
    WHEN NOT regexp_full_match(${text}, '${rfc3339}') THEN NULL
    WHEN substr(${text}, 18, 2) = '60' AND (${secondMs}) % ${dayMs} <> 0 THEN NULL
    ELSE ${secondMs} + ${fractionMs} END`
}
