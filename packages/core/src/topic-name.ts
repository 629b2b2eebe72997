/** Kafka's own rule for topic names, without those that begin like an option or a hidden file, or hold nothing between two dots. */
const legal = /^[a-zA-Z][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$/
const lengthMax = 200
/** Of the topics of Kafka, the registry, Connect and the platform itself. */
const reservedPrefixes = ['_', 'connect-', 'millrace-']

/** The topic that keeps what failed after it was accepted from `topic`. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`
}

/** The topic that keeps the events which came too late for a pipeline's windows. */
export function lateTopic(pipeline: string): string {
  return `${pipeline}.late`
}

/** The registry's subject for the values of a topic (Confluent's TopicNameStrategy). */
export function valueSubject(topic: string): string {
  return `${topic}-value`
}

/**
 * Why a topic cannot be beside some others, of which it may be one, or `undefined` when it can: Kafka refuses names that its metrics,
 * in which "." is "_", would not tell apart.
 */
export function topicCollision(topic: string, others: Iterable<string>): string | undefined {
  const inMetrics = (name: string) => name.replaceAll('.', '_')
  const asOurs = inMetrics(topic)
  for (const other of others) {
    if (other === topic || inMetrics(other) !== asOurs) continue
    return `the topic "${topic}" differs from the topic "${other}" in "." and "_" alone, which Kafka does not tell apart: name it otherwise`
  }
  return undefined
}

/** Why a name cannot be given to an event type, pipeline or topic, or `undefined` when it can. */
export function nameViolation(name: string): string | undefined {
  if (name.length > lengthMax) return `is longer than ${lengthMax} characters`
  const prefix = reservedPrefixes.find((reserved) => name.startsWith(reserved))
  if (prefix !== undefined) return `starts with "${prefix}", which is reserved`
  if (/\.(dlq|late)$/i.test(name)) return 'ends in ".dlq" or ".late", which are reserved'
  if (!legal.test(name)) return 'must be letters, digits, "_" and "-" in words joined by ".", starting with a letter'
  return undefined
}
