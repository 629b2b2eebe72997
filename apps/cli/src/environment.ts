/** The one door to the process environment. Everything else is settings, and comes in files or as options. */
export const environment = {
  javaHome: process.env['JAVA_HOME'],
  path: process.env['PATH'],
  /** https://no-color.org */
  noColor: process.env['NO_COLOR'] !== undefined,
} as const
