/** Addresses that only this machine reaches. Names are none: what they stand for is decided elsewhere. */
export function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '::1' || host === '[::1]'
}
