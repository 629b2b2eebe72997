/**
 * The partition that Kafka's own default partitioner gives a keyed record.
 * @see org.apache.kafka.clients.producer.internals.BuiltInPartitioner#partitionForKey
 */
export function partitionForKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/**
 * MurmurHash2, 32 bit, with the seed that Kafka uses. Returns a signed 32-bit integer.
 * @see org.apache.kafka.common.utils.Utils#murmur2
 */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length - (bytes.length % 4)
  let hash = 0x9747b28c ^ bytes.length
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(view.getInt32(index, true), multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = bytes.length - whole
  if (rest > 0) {
    for (let index = rest - 1; index >= 0; index--) hash ^= view.getUint8(whole + index) << (8 * index)
    hash = Math.imul(hash, multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
