#!/usr/bin/env node
import { main } from '../dist/program/modelnet.js'

await main(process.argv.slice(2))
// All is done: timers of libraries would keep the process for seconds more. What was written goes out first.
process.stderr.write('', () => process.stdout.write('', () => process.exit()))
