package com.example.checkout;

import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.Value;
import java.util.Map;

final class Checkout {
  public static void main(String[] args) {
    var flags = Flags.connect();
    var user =
        new ImmutableContext("ada", Map.of("plan", new Value("pro"), "seats", new Value(12)));

    if (flags.getBooleanValue("checkout-v2", false, user)) {
      System.out.println("the new checkout");
    } else {
      System.out.println("the old checkout");
    }

    var banner = flags.getStringValue("banner", "none", user);
    var items = flags.getIntegerValue("max-items", 10, user);
    var discount = flags.getDoubleValue("discount", 0.0, user);
    var retry = flags.getObjectValue("retry", Value.objectToValue(Map.of("attempts", 1)), user);
    var attempts = retry.asStructure().getValue("attempts").asInteger();
    var validation = flags.getStringValue("address-check", "off", user); // off, warn or enforce
    System.out.println(String.join(" ", banner, "" + items, "" + discount, "" + attempts, validation));

    var asked = flags.getBooleanDetails("checkout-v2", false, user);
    System.out.println(asked.getVariant() + " " + asked.getReason());

    OpenFeatureAPI.getInstance().shutdown(); // its threads keep the program alive
  }

  private Checkout() {}
}
