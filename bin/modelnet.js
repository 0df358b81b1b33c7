#!/usr/bin/env node
import { main } from '../dist/program/modelnet.js'

await main(process.argv.slice(2))
