package com.example.checkout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.EvaluationContext;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.Value;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers questions, one JSON document a line, until the input ends. */
final class Ask {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    var flags = Flags.connect();
    var questions = new BufferedReader(new InputStreamReader(System.in));
    for (var line = questions.readLine(); line != null; line = questions.readLine())
      System.out.println(JSON.writeValueAsString(answer(flags, JSON.readTree(line))));
    OpenFeatureAPI.getInstance().shutdown();
  }

  private static Map<String, Object> answer(Client flags, JsonNode question)
      throws JsonProcessingException {
    var asked = put(flags, question);
    var answer = new LinkedHashMap<String, Object>();
    answer.put("value", plain(asked.getValue()));
    answer.put("variant", asked.getVariant());
    answer.put("reason", asked.getReason());
    answer.put("errorCode", asked.getErrorCode());
    answer.put("errorMessage", asked.getErrorMessage());
    answer.put("metadata", asked.getFlagMetadata().asUnmodifiableMap());
    return answer;
  }

  private static FlagEvaluationDetails<?> put(Client flags, JsonNode question)
      throws JsonProcessingException {
    var flag = question.get("flag").asText();
    var otherwise = question.get("default");
    var user = user(question.get("context"));
    var type = question.get("type").asText();
    return switch (type) {
      case "boolean" -> flags.getBooleanDetails(flag, otherwise.asBoolean(), user);
      case "string" -> flags.getStringDetails(flag, otherwise.asText(), user);
      case "integer" -> flags.getIntegerDetails(flag, otherwise.asInt(), user);
      case "float" -> flags.getDoubleDetails(flag, otherwise.asDouble(), user);
      case "object" -> flags.getObjectDetails(flag, value(otherwise), user);
      default -> throw new IllegalArgumentException("There is no type " + type);
    };
  }

  private static EvaluationContext user(JsonNode context) throws JsonProcessingException {
    var attributes = new LinkedHashMap<String, Value>();
    String targetingKey = null;
    if (context != null)
      for (var attribute : context.properties())
        if (attribute.getKey().equals("targetingKey")) targetingKey = attribute.getValue().asText();
        else attributes.put(attribute.getKey(), value(attribute.getValue()));
    return targetingKey == null
        ? new ImmutableContext(attributes)
        : new ImmutableContext(targetingKey, attributes);
  }

  private static Value value(JsonNode json) throws JsonProcessingException {
    return Value.objectToValue(JSON.treeToValue(json, Object.class));
  }

  private static Object plain(Object value) {
    if (!(value instanceof Value given)) return value;
    if (given.isStructure()) return given.asStructure().asObjectMap();
    if (given.isList()) return given.asList().stream().map(Ask::plain).toList();
    return given.asObject();
  }

  private Ask() {}
}
