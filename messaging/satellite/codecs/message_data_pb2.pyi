from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Message(_message.Message):
    __slots__ = ("text", "to", "protocol")
    class Protocol(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNKNOWN: _ClassVar[Message.Protocol]
        EMAIL: _ClassVar[Message.Protocol]
        SMS: _ClassVar[Message.Protocol]
        TWITTER: _ClassVar[Message.Protocol]
    UNKNOWN: Message.Protocol
    EMAIL: Message.Protocol
    SMS: Message.Protocol
    TWITTER: Message.Protocol
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    text: str
    to: str
    protocol: Message.Protocol
    def __init__(self, text: _Optional[str] = ..., to: _Optional[str] = ..., protocol: _Optional[_Union[Message.Protocol, str]] = ...) -> None: ...

class MessageDataPB(_message.Message):
    __slots__ = ("version", "message", "from_device")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FROM_DEVICE_FIELD_NUMBER: _ClassVar[int]
    version: int
    message: _containers.RepeatedCompositeFieldContainer[Message]
    from_device: bool
    def __init__(self, version: _Optional[int] = ..., message: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., from_device: _Optional[bool] = ...) -> None: ...

class LenientMessage(_message.Message):
    __slots__ = ("text", "to", "protocol")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    text: bytes
    to: bytes
    protocol: Message.Protocol
    def __init__(self, text: _Optional[bytes] = ..., to: _Optional[bytes] = ..., protocol: _Optional[_Union[Message.Protocol, str]] = ...) -> None: ...

class LenientMessageData(_message.Message):
    __slots__ = ("version", "message")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    version: int
    message: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, version: _Optional[int] = ..., message: _Optional[_Iterable[bytes]] = ...) -> None: ...
