/** What the main job does at the gateway, and the tokens that let it. */
import { type AccessToken, accessToken } from '@millrace/ledger/access-token'
import type { Installation } from '@millrace/stack/installation'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { mintToken } from '@millrace/stack/token'
import { sources } from './feeds.ts'
import { flightDeparted } from './flight.ts'
import { departuresPerAirport } from './pipelines.ts'

const tokenTtlSeconds = 3_600

export function tokenFor({ secrets }: Installation, subject: string, scopes: readonly string[]): AccessToken {
  return accessToken((wanted) => mintToken(secrets, { subject, scopes: wanted, ttlSeconds: tokenTtlSeconds }), scopes)
}

/** Posting flights. */
export function publishing(installation: Installation) {
  return {
    gatewayUrl: gatewayUrl(installation),
    token: tokenFor(installation, 'flights-replay', [`events:write:${flightDeparted.name}`]),
    connections: flightDeparted.partitions,
  }
}

/** Posting what the other sources have. */
export function feeding(installation: Installation) {
  const scopes = sources.map(({ type }) => `events:write:${type.name}`)
  return [gatewayUrl(installation), tokenFor(installation, 'feeds', scopes)] as const
}

/** Following the live streams. */
export function measured(installation: Installation) {
  const { pipelines } = installation.platform
  const read = [flightDeparted.name, ...pipelines.map(({ result }) => result.name)]
  const scopes = [...read.map((type) => `events:read:${type}`), ...read.map((type) => `dlq:read:${type}`)]
  return {
    gatewayUrl: gatewayUrl(installation),
    token: tokenFor(installation, 'flights-subscriber', scopes),
    pipeline: departuresPerAirport,
    others: pipelines.filter(({ name }) => name !== departuresPerAirport.name),
  }
}
