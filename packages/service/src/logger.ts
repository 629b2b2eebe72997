import { pino, type Logger as PinoLogger } from 'pino'

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

const secrets = ['password', 'token', 'authorization', 'secret', 'jwt', 'privateKey']

/**
 * A logger of JSON lines on stdout. WARN: nothing was lost. ERROR: somebody must act.
 * Fields with the names of secrets are never written, on the first two levels of what is logged.
 */
export function createLogger(name: string, level: LogLevel = 'info'): Logger {
  return pino({
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secrets.flatMap((secret) => [secret, `*.${secret}`]), censor: '[redacted]' },
    serializers: { err: pino.stdSerializers.errWithCause },
  })
}
