/** What a broker is called in messages, certificates and metrics. */
export function brokerName(node: number): string {
  return `kafka-${node}`
}
