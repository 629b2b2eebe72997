/** The status codes of Snowpipe Streaming (classic) that the double answers; names ours, numbers Snowflake's. */
export const streamingStatus = {
  success: 0,
  tableDoesNotExist: 4,
  /** Somebody else has opened the channel since. */
  fenced: 20,
  outOfOrder: 21,
  otherChannelFailed: 22,
  channelDoesNotExist: 25,
  invalidMd5: 28,
  invalidChunkLength: 30,
  invalidRowCount: 31,
  invalidBlobName: 34,
  schemaChanged: 40,
} as const
