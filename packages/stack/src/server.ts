/** What is run as a process of its own: how it starts, when it is ready, how long it may take to stop. */
export type ServerSpec = {
  readonly kind: 'server'
  readonly name: string
  /** Servers and tasks that must be ready before this one starts. */
  readonly dependsOn: readonly string[]
  /** Servers that it talks to while it runs: it may start before them, but they stop after it. */
  readonly uses?: readonly string[]
  /** Where a person or a program finds it. */
  readonly address: string
  readonly ports: readonly number[]
  readonly command: Command
  /** Writes configuration files; called before every start. */
  readonly prepare?: () => Promise<void>
  /** Asks once whether the server serves. Rejections mean "not yet". */
  readonly probe: (signal: AbortSignal) => Promise<boolean>
  /** Asks once whether the server says of itself that it has failed for good: it is started again then. Rejections mean "not known". */
  readonly hasFailed?: (signal: AbortSignal) => Promise<boolean>
  readonly readyTimeoutMs: number
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number
  /** What must be done again after a crash, once the server is ready. */
  readonly restored?: () => Promise<void>
}

export type Command = {
  readonly file: string
  readonly arguments: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Something that is done once, in its place in the order of the start. */
export type TaskSpec = {
  readonly kind: 'task'
  readonly name: string
  readonly dependsOn: readonly string[]
  readonly run: () => Promise<void>
}

export type ServerState = 'waiting' | 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped' | 'failed'

export type ServerStatus = {
  readonly name: string
  readonly state: ServerState
  readonly address: string
  readonly pid: number | undefined
  /** How often it died and was started again. */
  readonly restarts: number
}
