/** Newline-delimited JSON: a bulk load. */
export const bulk = 'application/x-ndjson'

/** The media type of a `content-type` header, without its parameters, in lower case; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
