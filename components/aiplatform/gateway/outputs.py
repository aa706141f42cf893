GatewayOutputs = dict
