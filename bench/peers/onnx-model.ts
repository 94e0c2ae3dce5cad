// An ONNX model of one BatchNormalization node, as protobuf bytes: the message numbers are those of
// onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, ValueInfoProto), opset 15.

type Bytes = readonly number[];

/** `training`: normalise by the batch and return the moved running statistics too. */
export function batchNormModel(training: boolean, eps = 1e-5, momentum = 0.1): Uint8Array {
  const inputs = ['x', 'weight', 'bias', 'runningMean', 'runningVar'];
  const outputs = training ? ['y', 'newMean', 'newVar'] : ['y'];
  const node = [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, 'BatchNormalization'),
    ...message(5, [...text(1, 'epsilon'), ...float(2, eps), ...integer(20, FLOAT)]),
    // ONNX's momentum is the weight of the past.
    ...message(5, [...text(1, 'momentum'), ...float(2, 1 - momentum), ...integer(20, FLOAT)]),
    ...message(5, [
      ...text(1, 'training_mode'),
      ...integer(3, Number(training)),
      ...integer(20, INT),
    ]),
  ];
  const graph = [
    ...message(1, node),
    ...text(2, 'batchnorm'),
    ...inputs.flatMap((name) => message(11, floatTensor(name))),
    ...outputs.flatMap((name) => message(12, floatTensor(name))),
  ];
  const opset = [...text(1, ''), ...integer(2, 15)];
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, opset)]);
}

/** AttributeProto.AttributeType. */
const FLOAT = 1;
const INT = 2;

/** A float32 tensor of whatever shape. */
function floatTensor(name: string): Bytes {
  return [...text(1, name), ...message(2, message(1, integer(1, 1)))];
}

/** Seven bits a byte, least significant first; the high bit says that another follows. */
function varint(value: number): Bytes {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function integer(field: number, value: number): Bytes {
  return [...varint(field * 8), ...varint(value)];
}

function float(field: number, value: number): Bytes {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value, true);
  return [...varint(field * 8 + 5), ...new Uint8Array(bytes.buffer)];
}

function message(field: number, content: Bytes): Bytes {
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
}

function text(field: number, value: string): Bytes {
  return message(field, [...new TextEncoder().encode(value)]);
}
