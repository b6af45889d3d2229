// The one door to libtorch's operators: found by name, arguments converted by the operator's own schema, boxed call.
#include "addon.hpp"

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <c10/core/DeviceType.h>

namespace perennial {
namespace {

std::string describeWords(Reader& reader);

const char* kindName(Tag tag) {
  switch (tag) {
    case kNone: return "null";
    case kDefault: return "undefined";
    case kTensor: return "a Tensor";
    case kNumber: case kFloat: case kInt: return "a number";
    case kBigInt: return "a bigint";
    case kBool: return "a boolean";
    case kString: return "a string";
    case kComplex: return "a complex number";
    case kGenerator: return "a Generator";
    case kList: return "a list";
    case kNumbers: return "a list of numbers";
    case kTensors: return "a list of Tensors";
  }
  return "an unknown value";
}

[[noreturn]] void mismatch(const c10::Type& type, Tag tag) {
  throw BindingError("expected " + type.annotation_str() + " but received " + kindName(tag));
}

int64_t toInt(double value) {
  if (!(std::trunc(value) == value) || std::abs(value) > 9223372036854774784.0)
    throw BindingError("expected an integer but received " + std::to_string(value));
  return static_cast<int64_t>(value);
}

c10::IValue readNumber(double value, const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return toInt(value);
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType:
      return value;
    case c10::TypeKind::NumberType:
      return std::trunc(value) == value && std::abs(value) < 9007199254740992.0 && !(value == 0 && std::signbit(value))
                 ? c10::IValue(static_cast<int64_t>(value))
                 : c10::IValue(value);
    case c10::TypeKind::ComplexType:
      return c10::complex<double>(value, 0);
    default:
      mismatch(type, kNumber);
  }
}

c10::IValue readString(const std::string& text, const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::StringType:
      return text;
    case c10::TypeKind::ScalarTypeType:
      return static_cast<int64_t>(dtypeOf(text));
    case c10::TypeKind::DeviceObjType:
      return c10::Device(text);
    case c10::TypeKind::LayoutType:
      if (text == "strided") return static_cast<int64_t>(at::kStrided);
      if (text == "sparse_coo") return static_cast<int64_t>(at::kSparse);
      if (text == "sparse_csr") return static_cast<int64_t>(at::kSparseCsr);
      if (text == "sparse_csc") return static_cast<int64_t>(at::kSparseCsc);
      if (text == "sparse_bsr") return static_cast<int64_t>(at::kSparseBsr);
      if (text == "sparse_bsc") return static_cast<int64_t>(at::kSparseBsc);
      throw BindingError("unknown layout " + text);
    case c10::TypeKind::MemoryFormatType:
      if (text == "contiguous") return static_cast<int64_t>(at::MemoryFormat::Contiguous);
      if (text == "preserve") return static_cast<int64_t>(at::MemoryFormat::Preserve);
      if (text == "channels_last") return static_cast<int64_t>(at::MemoryFormat::ChannelsLast);
      if (text == "channels_last_3d") return static_cast<int64_t>(at::MemoryFormat::ChannelsLast3d);
      throw BindingError("unknown memory format " + text + "; use contiguous, preserve, channels_last or channels_last_3d");
    case c10::TypeKind::FloatType:
    case c10::TypeKind::NumberType:
      if (text == "inf") return std::numeric_limits<double>::infinity();
      [[fallthrough]];
    default:
      throw BindingError("expected " + type.annotation_str() + " but received the string \"" + text + "\"");
  }
}

c10::IValue readValue(Reader& reader, const c10::Type& type, const c10::Argument* argument);

// Elements of a list whose tag was read already.
template <typename Element, typename Convert>
c10::IValue readList(Reader& reader, Tag tag, const c10::TypePtr& elementType, c10::List<Element> list, Convert convert) {
  const size_t count = reader.count();
  list.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    c10::IValue element;
    if (tag == kNumbers) element = readNumber(reader.word(), *elementType);
    else if (tag == kTensors) element = reader.tensor();
    else element = readValue(reader, *elementType, nullptr);
    list.push_back(convert(std::move(element)));
  }
  return list;
}

c10::IValue readListValue(Reader& reader, Tag tag, const c10::ListType& type, const c10::Argument* argument) {
  const auto& elementType = type.getElementType();
  // int[2] accepts one number for both, as in Python.
  if (tag == kNumber && argument != nullptr && argument->N().has_value() && *argument->N() > 0) {
    const double value = reader.word();
    if (elementType->kind() == c10::TypeKind::FloatType) return c10::List<double>(std::vector<double>(*argument->N(), value));
    return c10::List<int64_t>(std::vector<int64_t>(*argument->N(), toInt(value)));
  }
  if (tag == kBool && argument != nullptr && argument->N().has_value() && elementType->kind() == c10::TypeKind::BoolType) {
    const bool value = reader.word() != 0;
    c10::List<bool> list;
    for (int i = 0; i < *argument->N(); ++i) list.push_back(value);
    return list;
  }
  if (tag == kTensor && elementType->kind() == c10::TypeKind::TensorType) {
    c10::List<at::Tensor> list;
    list.push_back(reader.tensor());
    return list;
  }
  if (tag != kList && tag != kNumbers && tag != kTensors) mismatch(type, tag);
  switch (elementType->kind()) {
    case c10::TypeKind::TensorType:
      return readList(reader, tag, elementType, c10::List<at::Tensor>(), [](c10::IValue v) { return v.toTensor(); });
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return readList(reader, tag, c10::IntType::get(), c10::List<int64_t>(), [](c10::IValue v) { return v.toInt(); });
    case c10::TypeKind::FloatType:
      return readList(reader, tag, elementType, c10::List<double>(), [](c10::IValue v) { return v.toDouble(); });
    case c10::TypeKind::BoolType:
      return readList(reader, tag, elementType, c10::List<bool>(), [](c10::IValue v) { return v.toBool(); });
    case c10::TypeKind::StringType:
      return readList(reader, tag, elementType, c10::List<std::string>(), [](c10::IValue v) { return v.toStringRef(); });
    case c10::TypeKind::NumberType: {
      c10::impl::GenericList list(c10::NumberType::get());
      const size_t count = reader.count();
      for (size_t i = 0; i < count; ++i)
        list.push_back(tag == kNumbers ? readNumber(reader.word(), *elementType) : readValue(reader, *elementType, nullptr));
      return list;
    }
    case c10::TypeKind::OptionalType: {
      const auto inner = elementType->expectRef<c10::OptionalType>().getElementType();
      if (inner->kind() != c10::TypeKind::TensorType) break;
      return readList(reader, tag, elementType, c10::List<std::optional<at::Tensor>>(),
                      [](c10::IValue v) { return v.isNone() ? std::optional<at::Tensor>() : std::optional<at::Tensor>(v.toTensor()); });
    }
    case c10::TypeKind::ScalarTypeType:
      return readList(reader, tag, elementType, c10::List<int64_t>(), [](c10::IValue v) { return v.toInt(); });
    default:
      break;
  }
  throw BindingError("lists of " + elementType->annotation_str() + " cannot be passed from TypeScript");
}

c10::IValue readValue(Reader& reader, const c10::Type& type, const c10::Argument* argument) {
  const size_t start = reader.position();
  const Tag tag = reader.tag();
  if (type.kind() == c10::TypeKind::OptionalType) {
    if (tag == kNone || tag == kDefault) return c10::IValue();
    Reader again(reader.env(), start);
    const auto inner = type.expectRef<c10::OptionalType>().getElementType();
    c10::IValue value = readValue(again, *inner, argument);
    reader = again;
    return value;
  }
  if (type.kind() == c10::TypeKind::ListType) return readListValue(reader, tag, type.expectRef<c10::ListType>(), argument);
  switch (tag) {
    case kTensor: {
      at::Tensor& tensor = reader.tensor();
      if (type.kind() == c10::TypeKind::TensorType) return tensor;
      if (type.kind() == c10::TypeKind::StorageType) return tensor.storage();
      mismatch(type, tag);
    }
    case kNumber: return readNumber(reader.word(), type);
    case kFloat: {
      const double value = reader.word();
      if (type.kind() == c10::TypeKind::NumberType || type.kind() == c10::TypeKind::FloatType) return value;
      return readNumber(value, type);
    }
    case kBigInt: {
      const int64_t value = reader.bits();
      if (type.kind() == c10::TypeKind::FloatType) return static_cast<double>(value);
      if (type.kind() == c10::TypeKind::IntType || type.kind() == c10::TypeKind::SymIntType || type.kind() == c10::TypeKind::NumberType) return value;
      mismatch(type, tag);
    }
    case kBool: {
      const bool value = reader.word() != 0;
      if (type.kind() == c10::TypeKind::BoolType || type.kind() == c10::TypeKind::SymBoolType || type.kind() == c10::TypeKind::NumberType) return value;
      mismatch(type, tag);
    }
    case kComplex: {
      const double real = reader.word();
      const double imaginary = reader.word();
      if (type.kind() == c10::TypeKind::NumberType || type.kind() == c10::TypeKind::ComplexType) return c10::complex<double>(real, imaginary);
      mismatch(type, tag);
    }
    case kString: return readString(reader.string(), type);
    case kGenerator: {
      at::Generator* generator = reader.env().generators.find(reader.word());
      if (generator == nullptr) throw BindingError("the Generator was disposed of");
      if (type.kind() == c10::TypeKind::GeneratorType) return *generator;
      mismatch(type, tag);
    }
    case kNone: case kDefault:
      // An undefined tensor is how a plain `Tensor` argument says "none" in some backward operators.
      mismatch(type, tag);
    default:
      mismatch(type, tag);
  }
}

// How an argument looks in an error message. Reads the same words again, so it never changes anything.
std::string describeWords(Reader& reader) {
  const Tag tag = reader.tag();
  switch (tag) {
    case kTensor: {
      const double handle = reader.word();
      at::Tensor* tensor = reader.env().tensors.find(handle);
      return tensor == nullptr ? "a disposed Tensor" : describe(*tensor);
    }
    case kNumber: case kFloat: case kInt: {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", reader.word());
      return text;
    }
    case kBigInt: return std::to_string(reader.bits()) + "n";
    case kBool: return reader.word() != 0 ? "true" : "false";
    case kString: return "\"" + reader.string() + "\"";
    case kComplex: reader.word(); reader.word(); return "a complex number";
    case kGenerator: reader.word(); return "a Generator";
    case kList: case kNumbers: case kTensors: {
      const size_t count = reader.count();
      std::string text = "[";
      for (size_t i = 0; i < count; ++i) {
        std::string element;
        if (tag == kList) element = describeWords(reader);
        else if (tag == kNumbers) { char number[32]; std::snprintf(number, sizeof number, "%.6g", reader.word()); element = number; }
        else { at::Tensor* tensor = reader.env().tensors.find(reader.word()); element = tensor == nullptr ? "a disposed Tensor" : describe(*tensor); }
        if (i < 8) text += (i == 0 ? "" : ", ") + element;
      }
      return text + (count > 8 ? ", … " + std::to_string(count) + " in all]" : "]");
    }
    default: return kindName(tag);
  }
}

std::string failure(Env& state, const Operator& op, size_t argumentsAt, size_t given, const std::string& what) {
  const auto& schema = op.handle.schema();
  std::string text = schema.name() + (schema.overload_name().empty() ? "" : "." + schema.overload_name()) + ": ";
  text += what.substr(0, what.find('\n'));
  text += "\n  called with ";
  try {
    Reader reader(state, argumentsAt);
    bool first = true;
    for (size_t i = 0; i < given && i < schema.arguments().size(); ++i) {
      Reader peek = reader;
      const bool isDefault = peek.tag() == kDefault;
      std::string shown = describeWords(reader);
      if (isDefault) continue;
      text += (first ? "" : ", ") + schema.arguments()[i].name() + ": " + shown;
      first = false;
    }
  } catch (const std::exception&) {
    text += "…";
  }
  std::ostringstream schemaText;
  schemaText << schema;
  return text + "\n  schema " + schemaText.str();
}

// Elements of one expanded tensor, or of one on the device meta, that a call with data may go through. Memory bounds every other
// tensor; these take none, and a call over 2⁴⁰ elements would keep the process busy for an hour, where nothing could interrupt it.
constexpr int64_t kMaxWithoutMemory = int64_t{1} << 34;

bool isView(const c10::FunctionSchema& schema) {
  const auto& returns = schema.returns();
  return !returns.empty() && returns[0].alias_info() != nullptr && !returns[0].alias_info()->isWrite();
}

void refuseEndless(const torch::jit::Stack& stack, const c10::FunctionSchema& schema) {
  bool withData = false;
  int64_t onMeta = 0;
  const auto look = [&](const at::Tensor& tensor) {
    if (!tensor.defined()) return;
    if (!tensor.is_meta()) withData = true;
    if (tensor.numel() <= kMaxWithoutMemory) return;
    if (tensor.is_meta()) onMeta = tensor.numel();
    else if (tensor.has_storage() && !isView(schema) && static_cast<int64_t>(tensor.storage().nbytes() / tensor.itemsize()) < tensor.numel())
      throw BindingError(std::to_string(tensor.numel()) + " elements expanded from fewer are more than the " + std::to_string(kMaxWithoutMemory) + " that a call may go through");
  };
  for (const auto& value : stack) {
    if (value.isTensor()) look(value.toTensor());
    else if (value.isTensorList()) for (const at::Tensor& tensor : value.toTensorList()) look(tensor);
  }
  if (withData && onMeta > 0)
    throw BindingError("a tensor of " + std::to_string(onMeta) + " elements on the device meta beside tensors with data; a call may go through " + std::to_string(kMaxWithoutMemory));
}

// In: [operator index, argument count, tagged arguments …].
// Out: [return count, tagged results …], or [-1] with the message in lastError.
napi_value call(napi_env env, napi_callback_info) {
  Env& state = envOf(env);
  auto& words = state.words;
  const auto index = static_cast<size_t>(words[0]);
  const auto given = static_cast<size_t>(words[1]);
  if (index >= state.operators.size()) {
    state.lastError = "unknown operator index";
    words[0] = -1;
    return nullptr;
  }
  const Operator& op = state.operators[index];
  const auto& arguments = op.handle.schema().arguments();
  size_t reading = 0;
  bool converted = false;
  try {
    torch::jit::Stack stack;
    stack.reserve(std::max(arguments.size(), size_t{4}));
    Reader reader(state, 2);
    for (; reading < arguments.size(); ++reading) {
      const auto& argument = arguments[reading];
      if (reading < given) {
        if (static_cast<int>(words[reader.position()]) != kDefault) {
          stack.push_back(readValue(reader, *op.argumentTypes[reading], &argument));
          continue;
        }
        reader.tag();
      }
      if (argument.default_value().has_value()) stack.push_back(*argument.default_value());
      else if (op.argumentTypes[reading]->kind() == c10::TypeKind::OptionalType) stack.push_back(c10::IValue());
      else throw BindingError("is missing");
    }
    converted = true;
    refuseEndless(stack, op.handle.schema());
    op.handle.callBoxed(stack);
    Writer writer(state);
    if (op.returnsNothing) {
      writer.word(0);
    } else {
      const auto& returns = op.handle.schema().returns();
      writer.word(static_cast<double>(stack.size()));
      for (size_t i = 0; i < stack.size(); ++i) {
        if (stack[i].isTensor()) writer.tensor(std::move(stack[i]).toTensor());
        else writer.value(stack[i], i < returns.size() ? *returns[i].real_type() : *c10::AnyType::get());
      }
    }
  } catch (const std::exception& error) {
    std::string what = messageOf(error);
    if (!converted && reading < arguments.size()) what = "argument " + arguments[reading].name() + ": " + what;
    state.lastError = failure(state, op, 2, given, what);
    words[0] = -1;
  } catch (...) {
    state.lastError = failure(state, op, 2, given, "an unknown C++ exception");
    words[0] = -1;
  }
  return nullptr;
}

// An operator writes in place, or into `out`, when all it returns are aliases of written arguments.
bool onlyReturnsArguments(const c10::FunctionSchema& schema) {
  if (schema.returns().empty()) return true;
  for (const auto& result : schema.returns())
    if (result.alias_info() == nullptr || !result.alias_info()->isWrite()) return false;
  return true;
}

// operatorIndex("aten::add", "Tensor") → index | -1
napi_value operatorIndex(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) {
    size_t count = 2;
    napi_value arguments[2], result;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    const std::string name = stringArgument(env, arguments[0]);
    const std::string overload = stringArgument(env, arguments[1]);
    int64_t index = -1;
    const std::string key = name + "." + overload;
    const auto known = state.operatorIndex.find(key);
    if (known != state.operatorIndex.end()) {
      index = known->second;
    } else if (auto handle = c10::Dispatcher::singleton().findSchema({name, overload})) {
      Operator op{*handle, {}, onlyReturnsArguments(handle->schema())};
      for (const auto& argument : handle->schema().arguments()) op.argumentTypes.push_back(argument.real_type());
      index = static_cast<int64_t>(state.operators.size());
      state.operators.push_back(std::move(op));
      state.operatorIndex.emplace(key, static_cast<uint32_t>(index));
    }
    checkStatus(env, napi_create_int64(env, index, &result));
    return result;
  });
}

// overloads("aten::add") → the schemas of every overload of that name, as text
napi_value overloads(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env&) {
    size_t count = 1;
    napi_value argument, result;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    const std::string name = stringArgument(env, argument);
    static const auto* byName = [] {
      auto* map = new std::unordered_map<std::string, std::vector<std::string>>();
      for (const auto& known : c10::Dispatcher::singleton().getAllOpNames()) (*map)[known.name].push_back(known.overload_name);
      return map;
    }();
    checkStatus(env, napi_create_array(env, &result));
    const auto found = byName->find(name);
    if (found == byName->end()) return result;
    uint32_t index = 0;
    for (const auto& overload : found->second) {
      const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
      if (!handle.has_value()) continue;
      std::ostringstream text;
      text << handle->schema();
      const std::string schema = text.str();
      napi_value element;
      checkStatus(env, napi_create_string_utf8(env, schema.data(), schema.size(), &element));
      checkStatus(env, napi_set_element(env, result, index++, element));
    }
    return result;
  });
}

// schemas() → every registered schema as text, in the dispatcher's own notation.
napi_value schemas(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    napi_value result;
    checkStatus(env, napi_create_array(env, &result));
    uint32_t index = 0;
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
      const auto handle = c10::Dispatcher::singleton().findSchema(name);
      if (!handle.has_value()) continue;
      std::ostringstream text;
      text << handle->schema();
      const std::string schema = text.str();
      napi_value element;
      checkStatus(env, napi_create_string_utf8(env, schema.data(), schema.size(), &element));
      checkStatus(env, napi_set_element(env, result, index++, element));
    }
    return result;
  });
}

}  // namespace

void Writer::value(const c10::IValue& value, const c10::Type& type) {
  if (value.isNone()) return word(kNone);
  if (value.isTensor()) return tensor(value.toTensor());
  if (value.isBool()) { word(kBool); return word(value.toBool() ? 1 : 0); }
  if (value.isInt() || value.isSymInt()) {
    const int64_t integer = value.isInt() ? value.toInt() : value.toSymInt().guard_int(__FILE__, __LINE__);
    if (type.kind() == c10::TypeKind::ScalarTypeType) {
      word(kString);
      return word(env_.intern(dtypeName(static_cast<at::ScalarType>(integer))));
    }
    if (std::abs(static_cast<double>(integer)) <= 9007199254740991.0) { word(kInt); return word(static_cast<double>(integer)); }
    word(kBigInt);
    double bits;
    std::memcpy(&bits, &integer, sizeof bits);
    return word(bits);
  }
  if (value.isDouble()) { word(kNumber); return word(value.toDouble()); }
  if (value.isComplexDouble()) { word(kComplex); word(value.toComplexDouble().real()); return word(value.toComplexDouble().imag()); }
  if (value.isString()) { word(kString); return word(env_.intern(value.toStringRef())); }
  if (value.isDevice()) { word(kString); return word(env_.intern(value.toDevice().str())); }
  if (value.isGenerator()) { word(kGenerator); return word(env_.generators.add(value.toGenerator())); }
  if (value.isList()) {
    const auto& list = value.toListRef();
    word(kList);
    word(static_cast<double>(list.size()));
    for (const auto& element : list) this->value(element, *c10::AnyType::get());
    return;
  }
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    word(kList);
    word(static_cast<double>(elements.size()));
    for (const auto& element : elements) this->value(element, *c10::AnyType::get());
    return;
  }
  throw BindingError("returned " + value.tagKind() + ", which has no counterpart in TypeScript");
}

void registerCall(napi_env env, napi_value exports) {
  setFunction(env, exports, "call", call);
  setFunction(env, exports, "operatorIndex", operatorIndex);
  setFunction(env, exports, "overloads", overloads);
  setFunction(env, exports, "schemas", schemas);
}

}  // namespace perennial
