import { fetch } from 'undici'

/** A probe that is content when a URL answers 2xx. */
export function httpProbe(url: string, headers: Readonly<Record<string, string>> = {}) {
  return async (signal: AbortSignal): Promise<boolean> => {
    const answer = await fetch(url, { signal, headers })
    await answer.body?.cancel()
    return answer.ok
  }
}
