import { describe, expect, it } from 'vitest'
import { createSoftmaxClassifier, trainSoftmax } from './softmax-classifier.ts'
import { createTextFeatures, normalise } from './text-features.ts'

const extract = createTextFeatures({ dimensions: 1024 })
const features = (text: string) => {
  const vector = extract(text)
  normalise(vector)
  return vector
}
const EXAMPLES = Array.from({ length: 60 }, (_, index) => [
  { features: features(`red apple ${index}`), label: 'fruit' },
  { features: features(`fast car ${index} wheels`), label: 'car' },
]).flat()

describe('the softmax classifier', () => {
  it('learns to tell two kinds of text apart, and generalises over numbers', () => {
    const classifier = createSoftmaxClassifier(trainSoftmax(EXAMPLES, { dimensions: 1024 }))
    const apple = classifier.predict(features('apple 12345'))
    expect(classifier.labels[apple.indexOf(Math.max(...apple))]).toBe('fruit')
    expect([...apple].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1)
  })

  it('is the same for the same seed', () => {
    const model = () => trainSoftmax(EXAMPLES, { dimensions: 1024, seed: 7 })
    expect(model()).toEqual(model())
  })

  it('says nothing sure about a text without known features', () => {
    const classifier = createSoftmaxClassifier(trainSoftmax(EXAMPLES, { dimensions: 1024 }))
    expect(Math.max(...classifier.predict({ indices: new Int32Array(), values: new Float32Array() }))).toBeLessThan(0.6)
  })
})
