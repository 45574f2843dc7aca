"""Old .tflite files as today's tools want them: LiteRT's quantizer does not see what files before 2021 leave out."""

from __future__ import annotations

from typing import Any

SIGNATURE = "serving_default"  # what TFLiteConverter calls the only one


def modernized(raw: bytes) -> bytes:
    """The same model with operators in the newer field, and with a signature; the same bytes where both are there.

    Before TensorFlow 2.4 an operator's code stood in `deprecated_builtin_code` alone: to a reader of `builtin_code`
    every operator is number 0. A signature's arguments are called as the tensors are.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(raw)
    codes = [code for code in model.operatorCodes or [] if code.deprecatedBuiltinCode > code.builtinCode]
    if not codes and model.signatureDefs:
        return raw
    for code in codes:
        code.builtinCode = code.deprecatedBuiltinCode
    model.signatureDefs = model.signatureDefs or [_signature(schema, model.subgraphs[0])]
    return _packed(model)


def _signature(schema: Any, graph: Any) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = SIGNATURE.encode(), 0
    signature.inputs = [_argument(schema, graph, index) for index in graph.inputs]
    signature.outputs = [_argument(schema, graph, index) for index in graph.outputs]
    return signature


def _argument(schema: Any, graph: Any, index: int) -> Any:
    argument = schema.TensorMapT()
    argument.name, argument.tensorIndex = graph.tensors[index].name, index
    return argument


def _packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
