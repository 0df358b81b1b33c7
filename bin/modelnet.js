#!/usr/bin/env node
import { main } from '../dist/application/cli.js'

await main(process.argv.slice(2))
