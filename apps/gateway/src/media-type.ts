/** The media type of a `content-type` header, without its parameters, in lower case; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  const [mediaType = ''] = (contentType ?? '').split(';')
  return mediaType.trim().toLowerCase()
}
