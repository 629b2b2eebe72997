import type { JavaEnvironment } from './java.ts'

/* eslint-disable no-restricted-properties -- the one door to the process environment: everything else is settings, in files or as options */

/** What of the process environment says where Java is. */
export const javaEnvironment: JavaEnvironment = { javaHome: process.env['JAVA_HOME'], path: process.env['PATH'] }
